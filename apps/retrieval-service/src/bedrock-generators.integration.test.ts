import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAquiferError } from '@aquifer/contracts';
import { generatorContract } from '@aquifer/contracts/testing';
import { openLocalStore } from '@aquifer/local-store';
import { createBedrockGenerator, createBuiltinEmbedder } from '@aquifer/models';
import { type Answer, type AnswerEvent, createAnswerer, createRetriever } from '@aquifer/retrieval';
import { createAnalyser } from '@aquifer/text-analysis';
import { openKnowledgeBase } from 'aquifer';
import { parseFaults } from './faults.js';
import { type StartedService, startService } from './testing/service-fixture.js';

/** A model of each family. */
const models = {
  'Claude Messages, citing by itself': 'us.anthropic.claude-sonnet-4-20250514-v1:0',
  'Claude Messages, numbered sources': 'anthropic.claude-3-haiku-20240307-v1:0',
  'Claude text completions': 'anthropic.claude-v2:1',
  'Jurassic-2': 'ai21.j2-ultra-v1',
  Jamba: 'ai21.jamba-1-5-mini-v1:0',
  'Titan Text': 'amazon.titan-text-express-v1',
  Nova: 'amazon.nova-lite-v1:0',
  Converse: 'meta.llama3-1-70b-instruct-v1:0',
};

let service: StartedService;
before(async () => {
  service = await startService();
});
after(() => service.close());

const generatorOf = (model: string, at = service) =>
  createBedrockGenerator({ model, connection: { client: at.client() } });

for (const [name, model] of Object.entries(models)) {
  generatorContract({ describe, it }, { name, create: () => generatorOf(model) });
}

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

describe('asking the handbook by way of Bedrock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-bedrock-answers-'));
  const location = join(folder, 'index');
  let store: Awaited<ReturnType<typeof openLocalStore>>;

  before(async () => {
    const knowledgeBase = await openKnowledgeBase({ location });
    await knowledgeBase.index(join(examples, 'handbook'));
    await knowledgeBase.close();
    store = await openLocalStore({ location, mode: 'read', analyser: createAnalyser() });
  });
  after(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const questions = readFileSync(join(examples, 'handbook-questions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { question: string; source: string | null; answerContains?: string });

  async function answererOf(model: string, at = service) {
    const retriever = createRetriever({ store, embedder: createBuiltinEmbedder() });
    return createAnswerer({ store, retriever, generator: await generatorOf(model, at) });
  }

  async function answersOf(model: string, asked: typeof questions): Promise<Answer[]> {
    const answerer = await answererOf(model);
    const answers: Answer[] = [];
    for (const { question } of asked) answers.push(await answerer.answer(question));
    return answers;
  }

  // All questions to the model that cites by itself; the others read the same markers as any model's.
  for (const [index, [name, model]] of Object.entries(models).entries()) {
    it(`ends with verified citations of exact slices: ${name}`, async () => {
      const asked = index === 0 ? questions : questions.slice(0, 6);
      const answers = await answersOf(model, asked);
      let cited = 0;
      for (const answer of answers) {
        assert.doesNotMatch(answer.answer, /\[\d\]|\[none\]/);
        for (const { start, end, references } of answer.citations) {
          assert.notEqual(answer.answer.slice(start, end).trim(), '');
          for (const { documentId, start: from, end: to, quote, verified } of references) {
            const content = await store.getContent(documentId);
            assert.equal(content?.text.slice(from, to), quote);
            assert.equal(verified, true, `${answer.question}: ${quote}`);
            cited++;
          }
        }
        assert.deepEqual(answer.unsupported, [], answer.question);
      }
      assert.ok(cited >= asked.length / 2, `${cited} references`);
    });
  }

  it('marks an answer that broke off, and says why', async () => {
    for (const [faults, code] of [
      ['cut=4', 'model-unavailable'],
      ['exception=ThrottlingException:4', 'model-throttled'],
    ] as const) {
      const failing = await startService({ faults: parseFaults(faults) });
      const events: AnswerEvent[] = [];
      const answerer = await answererOf(models['Claude Messages, citing by itself'], failing);
      await assert.rejects(
        async () => {
          for await (const event of answerer.ask(questions[0]!.question)) events.push(event);
        },
        (error) => isAquiferError(error, code),
      );
      const last = events.at(-1)!;
      assert.ok(last.type === 'interrupted' && last.answer !== '', `${faults}: ${events.map(({ type }) => type)}`);
      await failing.close();
    }
  });
});
