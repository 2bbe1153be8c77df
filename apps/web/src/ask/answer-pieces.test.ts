import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerPieces, citedSources, type Reference } from './answer-pieces.js';

const reference = (documentId: string, start: number, verified = true): Reference => ({
  rank: 1,
  documentId,
  source: `${documentId}.md`,
  title: documentId,
  headings: [],
  start,
  end: start + 10,
  quote: '…',
  verified,
});
const answer = 'Leave is 52 weeks. It is paid. Ask the office.';
const citations = [
  { start: 0, end: 18, references: [reference('leave', 5), reference('faq', 0)] },
  { start: 19, end: 30, references: [reference('leave', 5, false)] },
];

test('an answer is cut where citations end and where unsupported words begin', () => {
  const pieces = answerPieces(answer, citations, [{ start: 31, end: answer.length }]);
  assert.deepEqual(
    pieces.map(({ text, isUnsupported, sources }) => [text, isUnsupported, sources]),
    [
      ['Leave is 52 weeks.', false, [1, 2]],
      [' It is paid.', false, [1]],
      [' ', false, []],
      ['Ask the office.', true, []],
    ],
  );
  assert.equal(pieces.map(({ text }) => text).join(''), answer);
});

test('a passage is one source however often it is cited, and verified only where it is each time', () => {
  const sources = citedSources(citations);
  assert.deepEqual(
    sources.map(({ number, reference: { documentId, verified } }) => [number, documentId, verified]),
    [
      [1, 'leave', false],
      [2, 'faq', true],
    ],
  );
});

test('an answer that is on its way has no pieces beyond its end', () => {
  assert.deepEqual(answerPieces('Leave', citations, []), [
    { start: 0, text: 'Leave', isUnsupported: false, sources: [] },
  ]);
  assert.deepEqual(answerPieces('', [], []), []);
});
