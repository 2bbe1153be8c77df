import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generatorContract } from '@aquifer/contracts/testing';
import { openLocalStore } from '@aquifer/local-store';
import { createBedrockGenerator, createBuiltinEmbedder } from '@aquifer/models';
import { type Answer, createAnswerer, createRetriever } from '@aquifer/retrieval';
import { createAnalyser } from '@aquifer/text-analysis';
import { openKnowledgeBase } from 'aquifer';
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

const generatorOf = (model: string) => createBedrockGenerator({ model, connection: { client: service.client() } });

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

  async function answersOf(model: string): Promise<Answer[]> {
    const retriever = createRetriever({ store, embedder: createBuiltinEmbedder() });
    const answerer = createAnswerer({ store, retriever, generator: await generatorOf(model) });
    const answers: Answer[] = [];
    for (const { question } of questions) answers.push(await answerer.answer(question));
    return answers;
  }

  for (const [name, model] of Object.entries(models)) {
    it(`ends with verified citations of exact slices: ${name}`, async () => {
      const answers = await answersOf(model);
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
      assert.ok(cited >= questions.length / 2, `${cited} references`);
    });
  }
});
