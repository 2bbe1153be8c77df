import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createBuiltinEmbedder } from '@aquifer/models';
import { IngestKnowledgeBaseDocumentsCommand } from '@aws-sdk/client-bedrock-agent';
import { ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { propagation, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { agentClient, inlineText, makeCustomSource, untilStatus } from '../testing/control-fixture.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { startService } from '../testing/service-fixture.js';
import { createAuditLog } from './audit-log.js';
import { openRequestLog, requestLine } from './request-lines.js';
import { openTracing } from './tracing.js';

const secretOf = (name: string) => `secret-of-${name}`;
const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId) });
const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });
const base = '/v1/knowledge-bases/default';
const secretText = 'The vault code is 8461 and nobody may log it.';

async function filled(native: StartedNative, headers: Record<string, string> = {}): Promise<void> {
  assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' }, headers)).status, 201);
  const documents = [
    { name: 'vault.md', text: `# Vault\n\n${secretText}` },
    { name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' },
  ];
  const sent = await native.post(`${base}/documents`, { documents }, headers);
  const { job } = await json(sent);
  await (await native.send(`/v1/jobs/${job.id}/events`, { headers })).text();
}

describe('tokens of a key', () => {
  it('are counted for models and answers, and hold the next request back', async () => {
    const limited = { tokensPerMinute: 15 };
    const keys = fixedKeys([
      key('OWNER'),
      { ...key('EMBEDS'), ...limited },
      { ...key('CONVERSES'), ...limited },
      { ...key('ASKS'), ...limited },
      { ...key('STREAMS'), ...limited },
    ]);
    const native = await startNative({ keys });
    try {
      await filled(native, bearer('OWNER'));
      const models = await startService({ keys });
      const long = 'Parental leave is fifty two weeks. '.repeat(20);
      const embeds = models.client('http/1.1', { credentials: key('EMBEDS') });
      const embedding = new InvokeModelCommand({
        modelId: 'amazon.titan-embed-text-v2:0',
        body: JSON.stringify({ inputText: long }),
      });
      await embeds.send(embedding);
      await assert.rejects(embeds.send(embedding), { name: 'ThrottlingException' });
      const converses = models.client('http/1.1', { credentials: key('CONVERSES') });
      const conversation = new ConverseCommand({
        modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
        messages: [{ role: 'user', content: [{ text: long }] }],
      });
      await converses.send(conversation);
      await assert.rejects(converses.send(conversation), { name: 'ThrottlingException' });
      await models.close();

      const ask = (name: string, accept = 'application/json') =>
        native.post(`${base}/ask`, { question: 'How long is parental leave in Japan?' }, { ...bearer(name), accept });
      for (const [name, accept] of [
        ['ASKS', undefined],
        ['STREAMS', 'text/event-stream'],
      ] as const) {
        const first = await ask(name, accept);
        assert.equal(first.status, 200);
        await first.text();
        const second = await ask(name, accept);
        assert.equal(second.status, 429);
        assert.ok(Number(second.headers.get('retry-after')) >= 1);
        assert.equal((await json(second)).error.code, 'rate-limited');
      }
      assert.equal((await ask('OWNER')).status, 200);
    } finally {
      await native.close();
    }
  });
});

describe('what embedding takes', () => {
  const long = 'Parental leave in Japan is fifty two weeks. '.repeat(20);

  it('is counted for the key that sends documents and that searches, and what was accepted is done', async () => {
    const limited = { tokensPerMinute: 15 };
    const names = ['SENDS', 'INGESTS', 'SEARCHES', 'EXPLAINS'];
    const native = await startNative({
      keys: fixedKeys([key('OWNER'), ...names.map((name) => ({ ...key(name), ...limited }))]),
    });
    try {
      await filled(native, bearer('OWNER'));
      const isDone = async (job: { id: string }) => {
        await (await native.send(`/v1/jobs/${job.id}/events`, { headers: bearer('OWNER') })).text();
        const { status, summary } = await json(await native.send(`/v1/jobs/${job.id}`, { headers: bearer('OWNER') }));
        return [status, summary.new];
      };
      const send = (name: string) =>
        native.post(`${base}/documents`, { documents: [{ name, text: `${long} ${name}` }] }, bearer('SENDS'));
      // Both are accepted: what the first takes is not known yet.
      const [first, second] = [await json(await send('one.md')), await json(await send('two.md'))];
      assert.deepEqual([await isDone(first.job), await isDone(second.job)], Array(2).fill(['succeeded', 1]));
      const refused = await send('three.md');
      assert.deepEqual([refused.status, (await json(refused)).error.code], [429, 'rate-limited']);

      const { knowledgeBase } = await json(await native.send(base, { headers: bearer('OWNER') }));
      const owner = agentClient(native.endpoint, 'OWNER', secretOf('OWNER'));
      const ids = await makeCustomSource(owner, knowledgeBase.id);
      const ingests = agentClient(native.endpoint, 'INGESTS', secretOf('INGESTS'));
      const ingest = (id: string) =>
        ingests.send(new IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: [inlineText(id, `${long} ${id}`)] }));
      await ingest('four');
      await untilStatus(owner, ids, ['four'], 'INDEXED');
      await assert.rejects(ingest('five'), { name: 'ThrottlingException' });

      for (const [name, route, more] of [
        ['SEARCHES', 'search', {}],
        [
          'EXPLAINS',
          'explain',
          {
            documentId: (await json(await native.send(`${base}/documents`, { headers: bearer('OWNER') }))).documents[0]
              .id,
          },
        ],
      ] as const) {
        const ask = () => native.post(`${base}/${route}`, { query: `${long} ${name}`, ...more }, bearer(name));
        assert.equal((await ask()).status, 200, name);
        assert.equal((await ask()).status, 429, name);
      }
    } finally {
      await native.close();
    }
  });

  it('is in the metrics, with its cost and what the cache had', async () => {
    const terms = { usdPerMillionTokens: 1_000, textsPerRequest: 8 };
    const embedder = { ...createBuiltinEmbedder(), terms };
    const native = await startNative({ index: { embedder } });
    try {
      const metrics = async () => {
        const lines = (await (await native.send('/metrics')).text()).split('\n');
        const sum = (sample: RegExp) =>
          lines.filter((line) => sample.test(line)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
        return {
          tokens: sum(/^aquifer_tokens_total\{.*direction="in"/),
          costUsd: sum(/^aquifer_cost_usd_total/),
          hits: sum(/^aquifer_embedding_cache_total\{result="hit"\}/),
          misses: sum(/^aquifer_embedding_cache_total\{result="miss"\}/),
        };
      };
      assert.deepEqual(await metrics(), { tokens: 0, costUsd: 0, hits: 0, misses: 0 });
      assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
      const send = async (name: string) => {
        const text = '# Leave\n\nParental leave in Japan is 52 weeks.';
        const { status, summary } = await native.finished(
          await native.post(`${base}/documents`, { documents: [{ name, text }] }),
        );
        assert.equal(status, 'succeeded');
        return summary;
      };
      const one = await send('one.md');
      assert.ok(one.tokens > 0 && one.embedded > 0);
      await (await native.send(`${base}/documents`)).text();
      const two = await send('two.txt');
      const taken = one.tokens + two.tokens;
      const near = (actual: number, expected: number) =>
        assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);
      const indexed = await metrics();
      assert.deepEqual(
        [indexed.tokens, indexed.hits, indexed.misses],
        [taken, one.cacheHits + two.cacheHits, one.embedded + two.embedded],
      );
      near(indexed.costUsd, taken / 1_000);

      const { usage, costUsd } = await json(await native.post(`${base}/search`, { query: 'weeks of leave' }));
      assert.equal(usage[0].tokens > 0 && costUsd > 0, true);
      const searched = await metrics();
      assert.equal(searched.tokens, taken + usage[0].tokens);
      near(searched.costUsd, indexed.costUsd + costUsd);
      // A question that is remembered takes nothing.
      await (await native.post(`${base}/search`, { query: 'weeks of leave' })).text();
      assert.deepEqual(await metrics(), searched);

      const { usage: answered } = await json(await native.post(`${base}/ask`, { question: 'How long is leave?' }));
      const asked = await metrics();
      const embedded = asked.tokens - searched.tokens - answered.inputTokens;
      assert.ok(embedded > 0, 'the question was embedded');
      near(asked.costUsd, searched.costUsd + embedded / 1_000);
    } finally {
      await native.close();
    }
  });

  it('is counted for nobody where it was left over', async () => {
    const native = await startNative();
    try {
      assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
      const { uploads } = await native.host.get('default', 'default');
      await uploads?.keep({ name: 'left.md', content: long, limit: 10_000 });
      const next = await startService({ knowledgeBases: { host: native.host } });
      try {
        const get = (path: string) => fetch(next.endpoint + path);
        let jobs: { id: string }[] = [];
        while (jobs.length === 0) ({ jobs } = await json(await get('/v1/jobs')));
        await (await get(`/v1/jobs/${jobs[0]!.id}/events`)).text();
        assert.match(await (await get('/metrics')).text(), /tokens_total\{model="builtin",direction="in"\} [1-9]/);
      } finally {
        await next.close();
      }
    } finally {
      await native.close();
    }
  });
});

describe('what those see who run the service', () => {
  let native: StartedNative;
  let folder: string;
  const lines: string[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-operations-'));
    native = await startNative({
      keys: fixedKeys([key('OWNER'), { ...key('READER'), scopes: ['read'] }]),
      auditLog: createAuditLog(join(folder, 'audit')),
      onRequest: (request) => lines.push(requestLine(request)),
    });
    await filled(native, bearer('OWNER'));
  });
  after(async () => {
    await native.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('an audit log of who got which documents, without their text', async () => {
    const answer = await native.post(`${base}/search`, { query: 'vault code', limit: 1 }, bearer('READER'));
    assert.match(await answer.text(), /8461/);
    await (await native.post(`${base}/ask`, { question: 'How long is leave in Japan?' }, bearer('READER'))).text();
    const [file = ''] = readdirSync(join(folder, 'audit'));
    assert.match(file, /^\d{4}-\d\d-\d\d\.jsonl$/);
    const path = join(folder, 'audit', file);
    assert.equal(statSync(path).mode & 0o077, 0);
    const text = readFileSync(path, 'utf8');
    const entries = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const search = entries.find(({ action }) => action === 'search');
    assert.deepEqual(
      [search.keyId, search.tenant, search.documents.map(({ source }: { source: string }) => source)],
      ['READER', 'default', ['vault.md']],
    );
    assert.equal(search.requestId, answer.headers.get('x-request-id'));
    const answered = entries.find(({ action }) => action === 'answer');
    assert.deepEqual(
      answered.documents.map(({ source }: { source: string }) => source),
      ['leave.md'],
    );
    const actions = entries.map(({ action }) => action);
    assert.deepEqual(actions.slice(0, 3), ['create-knowledge-base', 'add-document', 'add-document']);
    assert.ok(!/8461|52 weeks|vault code|How long/.test(text));
  });

  it('lines of requests with neither text nor secrets', async () => {
    await (await native.send('/nowhere?X-Amz-Signature=abc', { headers: bearer('READER') })).text();
    await (await native.send('/v1/knowledge-bases')).text();
    const parsed = lines.map((line) => JSON.parse(line));
    const search = parsed.find(({ path }) => path === `${base}/search`);
    assert.equal(search.operation, 'POST /v1/knowledge-bases/:knowledgeBase/search');
    assert.deepEqual([search.status, search.keyId, typeof search.stages.fuse], [200, 'READER', 'number']);
    assert.ok(parsed.some(({ status, keyId }) => status === 401 && keyId === undefined));
    assert.ok(parsed.some(({ operation, status }) => operation === 'unknown' && status === 404));
    assert.ok(!/8461|52 weeks|vault code|secret-of|X-Amz|Bearer/.test(lines.join('\n')));
  });

  it('metrics, for who may', async () => {
    assert.equal((await native.send('/metrics')).status, 401);
    assert.equal((await native.send('/metrics', { headers: bearer('READER') })).status, 403);
    const text = await (await native.send('/metrics', { headers: bearer('OWNER') })).text();
    const value = (sample: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${sample} `))
          ?.split(' ')
          .at(-1),
      );
    const search = 'operation="POST /v1/knowledge-bases/:knowledgeBase/search"';
    assert.ok(value(`aquifer_requests_total{${search},status="200"}`) >= 1);
    assert.equal(
      value(`aquifer_request_seconds_bucket{${search},le="+Inf"}`),
      value(`aquifer_request_seconds_count{${search}}`),
    );
    assert.ok(value('aquifer_stage_seconds_count{stage="dense"}') >= 2);
    assert.ok(value('aquifer_tokens_total{model="builtin",direction="out"}') > 0);
    assert.equal(value('aquifer_ready'), 1);
    assert.equal(value('aquifer_requests_in_flight'), 1);
    for (const line of text.trim().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) aquifer_\w+ .+|aquifer_\w+(\{.+\})? -?[\d.e+-]+)$/);
    }
    assert.ok(!/8461|secret-of/.test(text));
  });

  it('by which id a request is found again', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const answer = await native.send(path, { headers: bearer('OWNER') });
      assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/, path);
    }
  });

  it('whether it is ready, and which part is not', async () => {
    const ready = await native.send('/readyz');
    assert.deepEqual(
      [ready.status, await json(ready)],
      [200, { status: 'ready', checks: { store: 'ok', models: 'ok', service: 'ok' } }],
    );
    const broken = await startNative({ index: { location: join(folder, 'damaged') } });
    try {
      assert.equal((await broken.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
    } finally {
      await broken.close();
    }
    for (const name of readdirSync(join(folder, 'damaged'))) {
      if (name.startsWith('index')) writeFileSync(join(folder, 'damaged', name), 'Bytes that no database begins with.');
    }
    const damaged = await startNative({ index: { location: join(folder, 'damaged') } });
    try {
      const answer = await damaged.send('/readyz');
      assert.equal(answer.status, 503);
      const { status, checks } = await json(answer);
      assert.deepEqual([status, checks.store], ['not ready', 'encryption-key-refused']);
    } finally {
      await damaged.close();
    }
  });
});

describe('logs in files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'aquifer-logs-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('keep texts where they are asked to, and a file a day', async () => {
    const log = createAuditLog(folder, { keepsText: true });
    const entry = {
      requestId: 'r',
      tenant: 'default',
      action: 'search' as const,
      knowledgeBaseId: 'K',
      text: { query: 'vault' },
    };
    const days = ['2026-01-01T23:59:59.999Z', '2026-01-02T00:00:00.000Z'];
    await Promise.all(Array.from({ length: 100 }, (_, index) => log.write({ at: days[index % 2]!, ...entry })));
    for (const day of ['2026-01-01', '2026-01-02']) {
      const written = readFileSync(join(folder, `${day}.jsonl`), 'utf8')
        .trim()
        .split('\n');
      assert.equal(written.length, 50);
      assert.equal(JSON.parse(written[0]!).text.query, 'vault');
    }
  });

  it('hand nothing out that cannot be written down', async () => {
    writeFileSync(join(folder, 'a-file'), '');
    const native = await startNative();
    await filled(native);
    const audited = await startNative({
      knowledgeBases: { host: native.host },
      auditLog: createAuditLog(join(folder, 'a-file')),
    });
    const answer = await audited.post(`${base}/search`, { query: 'vault' });
    const text = await answer.text();
    assert.ok(answer.status >= 400, text);
    assert.match(text, /audit log/);
    assert.ok(!text.includes('8461'));
    await audited.close();
    await native.close();
  });

  it('take lines of requests, in order', async () => {
    const path = join(folder, 'requests.jsonl');
    const log = await openRequestLog(path);
    const native = await startNative({ onRequest: log.keep });
    for (let index = 0; index < 20; index += 1) await (await native.send(`/nowhere/${index}`)).text();
    await native.close();
    await log.close();
    const paths = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).path);
    assert.deepEqual(
      paths,
      Array.from({ length: 20 }, (_, index) => `/nowhere/${index}`),
    );
    await assert.rejects(openRequestLog(join(folder, 'nowhere', 'log')), { code: 'invalid-options' });
  });
});

describe('traces', () => {
  it('hold a request as a span in the trace of its caller, without text', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(provider);
    propagation.setGlobalPropagator({
      inject: () => {},
      fields: () => ['traceparent'],
      extract(active, carrier) {
        const [, traceId = '', spanId = ''] = String((carrier as { traceparent?: string }).traceparent).split('-');
        return trace.setSpanContext(active, { traceId, spanId, traceFlags: 1 });
      },
    });
    const native = await startNative({ tracing: await openTracing() });
    try {
      await filled(native);
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
      await (await native.post(`${base}/search`, { query: 'vault code' }, headers)).text();
      const span = exporter.getFinishedSpans().find(({ name }) => name.endsWith('/search'));
      assert.equal(span?.spanContext().traceId, traceId);
      assert.equal(span.attributes['http.response.status_code'], 200);
      assert.equal(typeof span.attributes['aquifer.stage.dense.ms'], 'number');
      assert.ok(!/8461|vault code/.test(JSON.stringify(span.attributes)));
    } finally {
      await native.close();
      trace.disable();
      propagation.disable();
    }
  });
});
