import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSampleStore } from '../testing/sample-store.js';
import { selectPassages } from './passages.js';

const long = (word: string) => `${word} is a word. `.repeat(60).trim();
const select = async (
  documents: Parameters<typeof createSampleStore>[0],
  ids: readonly string[],
  limit = 8,
  question = 'What is this?',
) => {
  const store = createSampleStore(documents);
  const selection = await selectPassages(store, await store.getChunks(ids), { question, limit });
  for (const { documentId, start, end, text } of selection.passages) {
    assert.equal(documents.find(({ id }) => id === documentId)!.text.slice(start, end), text);
  }
  return { ...selection, calls: store.calls };
};

describe('selectPassages', () => {
  it('keeps long matches as they are, without reading anything more', async () => {
    const { passages, calls } = await select(
      [
        { id: 'a', text: `${long('One')}\n\n${long('Two')}` },
        { id: 'b', text: long('Six') },
      ],
      ['b-0', 'a-0'],
    );
    assert.deepEqual(
      passages.map(({ rank, chunkIds }) => [rank, chunkIds]),
      [
        [1, ['b-0']],
        [2, ['a-0']],
      ],
    );
    assert.deepEqual(calls, ['getChunks']);
  });

  it('widens a short match to its neighbours under the same heading', async () => {
    const text =
      '# A\n\nBefore the section.\n\n# B\n\nFirst here.\n\nSecond here.\n\nThird here.\n\n# C\n\nAfter the section.';
    const { passages } = await select([{ id: 'a', text }], ['a-2']);
    assert.equal(passages.length, 1);
    assert.equal(passages[0]!.text, 'First here.\n\nSecond here.\n\nThird here.');
    assert.deepEqual(passages[0]!.headings, ['B']);
    assert.deepEqual(passages[0]!.chunkIds, ['a-2']);
  });

  it('joins matches that overlap or touch into one, at the better rank', async () => {
    const text = `${long('One')}\n\n${long('Two')}\n\n# New\n\n${long('Three')}`;
    const { passages } = await select(
      [
        { id: 'a', text },
        { id: 'b', text: long('Six') },
      ],
      ['a-1', 'b-0', 'a-0', 'a-2'],
    );
    assert.deepEqual(
      passages.map(({ rank, chunkIds }) => [rank, chunkIds]),
      [
        [1, ['a-0', 'a-1']],
        [2, ['b-0']],
        [4, ['a-2']],
      ],
    );
  });

  it('drops near-duplicates and fills up from behind', async () => {
    const { passages, dropped } = await select(
      [
        { id: 'a', text: long('Same') },
        { id: 'b', text: long('Same') },
        { id: 'c', text: long('Other') },
        { id: 'd', text: long('More') },
      ],
      ['a-0', 'b-0', 'c-0', 'd-0'],
      2,
    );
    assert.deepEqual(
      passages.map(({ documentId }) => documentId),
      ['a', 'c'],
    );
    assert.deepEqual(
      dropped.map(({ chunkId, reason, duplicateOf }) => [chunkId, reason, duplicateOf]),
      [
        ['b-0', 'near-duplicate', 'a-0'],
        ['d-0', 'over-limit', undefined],
      ],
    );
  });

  it('leaves out what says that it is superseded, unless asked for it or left with nothing', async () => {
    const documents = [
      { id: 'old', title: 'Policy 2023', text: long('Old'), metadata: { status: 'superseded' } },
      { id: 'copy', text: long('Old') },
      { id: 'new', title: 'Policy 2025', text: long('New'), metadata: { status: 'current' } },
    ];
    const ids = ['old-0', 'copy-0', 'new-0'];
    const kept = async (question: string, wanted = ids) =>
      (await select(documents, wanted, 8, question)).passages.map(({ documentId }) => documentId);
    assert.deepEqual(await kept('How many weeks?'), ['copy', 'new']);
    assert.deepEqual(await kept('How many weeks in 2025?'), ['copy', 'new']);
    assert.deepEqual(await kept('How many weeks in 2023?'), ['old', 'new']);
    assert.deepEqual(await kept('What was it previously?'), ['old', 'new']);
    assert.deepEqual(await kept('以前の規程では？'), ['old', 'new']);
    assert.deepEqual(await kept('How many weeks?', ['old-0']), ['old']);
    const { dropped } = await select(documents, ids);
    assert.deepEqual(
      dropped.map(({ chunkId, reason }) => [chunkId, reason]),
      [['old-0', 'superseded']],
    );
  });

  it('leaves matches alone where the document changed meanwhile', async () => {
    const documents = [{ id: 'a', text: 'First here.\n\nSecond here.' }];
    const store = createSampleStore(documents);
    const chunks = await store.getChunks(['a-1']);
    Object.assign(store, { getContent: async () => ({ text: 'New text altogether.', pages: [], blocks: [] }) });
    const { passages } = await selectPassages(store, chunks, { question: 'What?', limit: 8 });
    assert.deepEqual(
      passages.map(({ text }) => text),
      ['Second here.'],
    );
  });

  it('knows the pages of what it joined', async () => {
    const text = 'First here.\n\nSecond here.\n\nThird here.';
    const pages = [
      { page: 1, start: 0, end: 13 },
      { page: 2, start: 13, end: text.length },
    ];
    const { passages } = await select([{ id: 'a', text, pages }], ['a-1']);
    assert.equal(passages[0]!.pageStart, 1);
    assert.equal(passages[0]!.pageEnd, 2);
  });
});
