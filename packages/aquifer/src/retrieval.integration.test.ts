import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Answer } from '@aquifer/retrieval';
import type { KnowledgeBase } from './knowledge-base.js';
import { openKnowledgeBase } from './open-knowledge-base.js';

interface HandbookQuestion {
  readonly question: string;
  /** Null where the handbook has no answer. */
  readonly source: string | null;
  readonly page?: number;
  readonly answerContains?: string;
}

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const questions = readFileSync(join(examples, 'handbook-questions.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as HandbookQuestion);

/** Without what writing may vary: case, width, white space, separators. */
const folded = (text: string) => text.normalize('NFKC').toLowerCase().replace(/[\s,]/g, '');

describe('asking the handbook with the built-in models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-retrieval-'));
  let knowledgeBase: KnowledgeBase;
  let answers: { readonly asked: HandbookQuestion; readonly answer: Answer }[];

  before(async () => {
    knowledgeBase = await openKnowledgeBase({ location: join(folder, 'index') });
    await knowledgeBase.index(join(examples, 'handbook'));
    answers = [];
    for (const asked of questions) {
      for await (const event of knowledgeBase.ask(asked.question)) {
        if (event.type === 'answer') answers.push({ asked, answer: event.answer });
      }
    }
  });
  after(async () => {
    await knowledgeBase?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('ends every question with an answer', () => assert.equal(answers.length, questions.length));

  it('cites exact slices of the stored text, with pages that hold them', async () => {
    let count = 0;
    for (const { answer } of answers) {
      for (const { start, end, references } of answer.citations) {
        assert.ok(answer.answer.slice(start, end).trim() !== '');
        assert.ok(references.length > 0);
        for (const reference of references) {
          const { content } = await knowledgeBase.document(reference.documentId);
          assert.equal(content.text.slice(reference.start, reference.end), reference.quote);
          assert.notEqual(reference.quote.trim(), '');
          if (content.pages.length > 0) {
            const first = content.pages.find(({ page }) => page === reference.pageStart);
            assert.ok(first && first.start < reference.end && first.end > reference.start, reference.source);
          }
          count++;
        }
      }
    }
    assert.ok(count >= questions.length / 2);
  });

  it('verifies what the built-in answerer quotes, and leaves nothing unsupported', () => {
    for (const { asked, answer } of answers) {
      assert.ok(
        answer.citations.every(({ references }) => references.every(({ verified }) => verified)),
        asked.question,
      );
      assert.deepEqual(answer.unsupported, [], asked.question);
    }
  });

  it('finds the document that answers', async () => {
    const answerable = questions.filter(({ source }) => source !== null);
    const missed: string[] = [];
    for (const { question, source } of answerable) {
      const { matches } = await knowledgeBase.search(question, { limit: 5 });
      if (!matches.some((match) => match.source === source)) missed.push(question);
    }
    assert.ok(missed.length <= answerable.length * 0.1, `not among the first five: ${missed.join(' | ')}`);
  });

  it('answers nearly all questions, and abstains from nearly all that the handbook does not answer', () => {
    const wrong = answers
      .filter(({ asked, answer }) =>
        asked.source === null ? !answer.abstained : !folded(answer.answer).includes(folded(asked.answerContains ?? '')),
      )
      .map(({ asked, answer }) => `${asked.question} → ${answer.answer}`);
    assert.ok(wrong.length <= questions.length * 0.05, wrong.join('\n'));
  });
});
