import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLocalBackend, createRetrievalService, type RetrievalService } from '@aquifer/retrieval-service';
import { type Answer, embedderByName, generatorByName, type IndexSummary, type SearchResponse } from 'aquifer';

const bin = fileURLToPath(new URL('../bin/aquifer.js', import.meta.url));
const handbook = fileURLToPath(new URL('../../../examples/handbook', import.meta.url));
const titan = 'amazon.titan-embed-text-v2:0';
const question = 'How long is parental leave in Japan?';

/** How each family is asked, and one field by which its body is known. */
const answering = [
  { model: 'anthropic.claude-haiku-4-5-20251001-v1:0', operation: 'InvokeModelWithResponseStream', field: 'messages' },
  { model: 'anthropic.claude-v2:1', operation: 'InvokeModelWithResponseStream', field: 'max_tokens_to_sample' },
  { model: 'ai21.j2-ultra-v1', operation: 'InvokeModel', field: 'maxTokens' },
  { model: 'ai21.jamba-1-5-large-v1:0', operation: 'InvokeModelWithResponseStream', field: 'messages' },
  { model: 'amazon.titan-text-express-v1', operation: 'InvokeModelWithResponseStream', field: 'textGenerationConfig' },
  { model: 'us.amazon.nova-lite-v1:0', operation: 'ConverseStream', field: 'inferenceConfig' },
] as const;

describe('models of Bedrock, by id, through a server that stands in for it', () => {
  let service: RetrievalService;
  let folder: string;
  let endpoint: string;
  before(async () => {
    service = createRetrievalService({ backend: createLocalBackend({ embedderByName, generatorByName }) });
    endpoint = await service.listen({ port: 0 });
    folder = mkdtempSync(join(tmpdir(), 'aquifer-bedrock-'));
  });
  after(async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(args: readonly string[], address = endpoint) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AQUIFER_|AWS_)/.test(name));
    const env = {
      ...Object.fromEntries(inherited),
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: address,
      AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: address,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    };
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { status, out, err };
  }
  async function json<Result>(...args: string[]): Promise<Result> {
    const { status, out, err } = await run([...args, '--json']);
    assert.equal(status, 0, err);
    return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
  }
  const index = (...flags: string[]) => json<IndexSummary>('index', handbook, '--embedder', titan, ...flags);

  it('foretells tokens, dollars and minutes, and then asks for each text once', async () => {
    const planned = await index('--dry-run', '--requests-per-minute', '60');
    assert.ok(planned.costUsd !== undefined && planned.costUsd > 0);
    assert.equal(planned.minutesAtQuota, planned.requests / 60);
    const done = await index();
    assert.deepEqual([done.failed, done.requests, done.embedded], [0, planned.requests, planned.embedded]);
    assert.ok(done.tokens > 0 && done.costUsd === (done.tokens * 0.02) / 1e6);
    const again = await index();
    assert.deepEqual([again.requests, again.costUsd, again.unchanged], [0, 0, planned.new]);
  });

  it('fills the requests of a model that takes many texts in one, from documents of one chunk each', async () => {
    const notes = join(folder, 'notes');
    mkdirSync(notes);
    for (let note = 0; note < 600; note++) writeFileSync(join(notes, `${note}.txt`), `Note ${note} is about nothing.`);
    const flags = ['index', notes, '--embedder', 'cohere.embed-multilingual-v3', '--kb', 'notes.kb'];
    const planned = await json<IndexSummary>(...flags, '--dry-run');
    const done = await json<IndexSummary>(...flags);
    assert.deepEqual([done.embedded, planned.requests], [600, Math.ceil(600 / 96)]);
    // How evenly texts come, and so how often a batch goes that is not full, depends on the machine; without waiting there are some 75.
    assert.ok(done.requests <= planned.requests * 3, `${done.requests} requests instead of ${planned.requests}`);
    const reEmbedded = await json<IndexSummary>(...flags, '--embedder', 'cohere.embed-english-v3', '--re-embed');
    assert.equal(reEmbedded.failed, 0);
  });

  it('prints for a dry run what the page about costs shows', async () => {
    const page = readFileSync(new URL('../../../docs/costs.md', import.meta.url), 'utf8');
    const [, flags = '', shown = ''] = /npx aquifer index examples\/handbook (.+)\n(.+)/.exec(page) ?? [];
    const { out } = await run(['index', handbook, ...flags.split(' '), '--kb', 'costs.kb']);
    const withoutSeconds = (line: string) => line.replace(/[^·]+$/, '').trim();
    assert.equal(withoutSeconds(out.split('\n')[0]!), withoutSeconds(shown));
    assert.match(shown, /at least 3\.9 s at the quota/);
  });

  it('remembers the embedder, and refuses dimensions that it does not have', async () => {
    const { embedder } = await json<{ embedder: { name: string; dimensions: number } }>('status');
    assert.deepEqual([embedder.name, embedder.dimensions], [titan, 1024]);
    const refused = await run(['index', handbook, '--embedder', titan, '--dimensions', '333', '--kb', 'odd.kb']);
    assert.equal(refused.status, 2);
    assert.match(refused.err, /333.*1024, 512/);
  });

  it('keeps to the dimensions that an index was made with', async () => {
    await index('--dimensions', '256', '--kb', 'short.kb');
    const { matches } = await json<{ matches: unknown[] }>('search', question, '--kb', 'short.kb', '--mode', 'dense');
    assert.equal(matches.length, 10);
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';
    for (const other of [`us.${titan}`, `${arn}@${titan}`]) {
      const flags = ['--embedder', other, '--kb', 'short.kb', '--dry-run'];
      const { unchanged } = await json<IndexSummary>('index', handbook, ...flags);
      assert.ok(unchanged > 0, other);
    }
  });

  for (const { model, operation, field } of answering) {
    it(`answers with ${model}, every citation a slice of its document, and shows what it was sent`, async () => {
      const answer = await json<Answer>('ask', question, '--model', model, '--show-prompt');
      assert.match(answer.answer, /52 weeks/);
      assert.ok(answer.citations.length > 0 && answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0);
      for (const { references } of answer.citations) {
        for (const { documentId, start, end, quote, verified } of references) {
          const { content } = await json<{ content: { text: string } }>('documents', documentId);
          assert.equal(content.text.slice(start, end), quote);
          assert.ok(verified);
        }
      }
      assert.equal(answer.prompt?.request?.operation, operation);
      assert.ok(Object.hasOwn(answer.prompt?.request?.body as object, field), JSON.stringify(answer.prompt?.request));
    });
  }

  it('counts the embedding of the question and the reranker with what a search and an answer cost', async () => {
    const reranked = ['--reranker', 'cohere.rerank-v3-5:0'];
    const search = async (...flags: string[]) =>
      (await json<SearchResponse>('search', question, ...flags)).costUsd ?? 0;
    const embedUsd = await search();
    assert.ok(embedUsd > 0 && embedUsd < 1e-6, `${embedUsd}`);
    assert.equal(await search(...reranked), embedUsd + 0.002);
    assert.match(
      (await run(['search', question, ...reranked])).out,
      /passages · dense exact, keyword on · \$0\.0020 · /,
    );
    const { usage } = await json<Answer>('ask', question, '--model', 'us.amazon.nova-lite-v1:0', ...reranked);
    const modelUsd = (usage.inputTokens * 0.06 + usage.outputTokens * 0.24) / 1e6;
    assert.ok(Math.abs(usage.costUsd! - (modelUsd + 0.002 + embedUsd)) < 1e-12, `${usage.costUsd} ${modelUsd}`);
  });

  it('takes an id of a known family that is not in the catalogue, with a warning', async () => {
    const { status, err } = await run(['ask', question, '--model', 'anthropic.claude-next-9-v1:0']);
    assert.equal(status, 0, err);
    assert.match(err, /claude-next-9-v1:0 is not in the catalogue/);
    const next = 'amazon.titan-embed-text-v9:0';
    const indexed = await run(['index', handbook, '--embedder', next, '--kb', 'next.kb']);
    assert.equal(indexed.status, 0, indexed.err);
    assert.match(indexed.err, /titan-embed-text-v9:0 is not in the catalogue/);
  });

  it('takes an ARN of the account with the model behind it, and the vectors of an index for those of the model', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';
    const hidden = await run(['index', handbook, '--embedder', arn, '--kb', 'arn.kb']);
    assert.equal(hidden.status, 2);
    assert.match(hidden.err, /does not say which model is behind it.*abc123@amazon\.titan-embed-text-v2:0/);
    const planned = await json<IndexSummary>('index', handbook, '--embedder', `${arn}@${titan}`, '--dry-run');
    assert.deepEqual([planned.unchanged > 0, planned.new, planned.embedded], [true, 0, 0]);
    const other = ['index', handbook, '--embedder', `${arn}@${titan}`, '--kb', 'arn.kb', '--dry-run'];
    const { costUsd, tokens } = await json<IndexSummary>(...other);
    assert.equal(costUsd, (tokens * 0.02) / 1e6);
  });

  it('answers by way of an ARN of the account that hides its model, with a warning and the context that it is told', async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';
    const { status, err } = await run(['ask', question, '--model', arn, '--model-context-tokens', '4000']);
    assert.equal(status, 0, err);
    assert.match(err, /its context is taken to be 4,000 tokens.*abc123@<id of the model>/);
    const small = await run(['ask', question, '--model', arn, '--model-context-tokens', '512']);
    assert.match(small.err, /in the 512 tokens that the model takes/);
  });

  it('refuses a model of another use, and a name that is none, before anything is asked', async () => {
    const wrongUse = await run(['ask', question, '--model', titan]);
    assert.equal(wrongUse.status, 2);
    assert.match(wrongUse.err, /embeds texts.*cannot answer/);
    const unknown = await run(['ask', question, '--model', 'titanic']);
    assert.equal(unknown.status, 1);
    assert.match(unknown.err, /no model "titanic".*npx aquifer models/);
  });

  it('fails within the time it is given where nobody answers, and names the address', async () => {
    const taken = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    assert.ok(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}`;
    try {
      const args = ['ask', question, '--model', 'ai21.j2-mid-v1', '--model-timeout-seconds', '1'];
      const { status, err } = await run(args, url);
      assert.equal(status, 1);
      assert.match(err, new RegExp(url));
    } finally {
      taken.close();
    }
  });
});
