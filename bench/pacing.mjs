// How well requests to Bedrock are paced, beside @langchain/aws (a development dependency of the repository), against the local Bedrock in a process
// of its own, which counts what it lets through and what it refuses.
//
//   node bench/pacing.mjs quota [--texts 5000] [--rps 50] [--undeclared] [--peer] [--seed 1]
//   node bench/pacing.mjs permanent        requests for one text that can never be embedded
//   node --expose-gc bench/pacing.mjs memory [--texts 200000]
import { fork } from 'node:child_process';
import { createServer } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    texts: { type: 'string' },
    rps: { type: 'string', default: '50' },
    undeclared: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string' },
  },
});
const [what] = positionals;
const model = 'amazon.titan-embed-text-v2:0';
const environment = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_REGION: 'us-east-1' };

const runs = { serve, 'serve-fixed': serveFixed, quota, permanent, memory };
if (runs[what] === undefined) throw new Error('Say what to measure: quota, permanent or memory.');
await runs[what]();

/** The local Bedrock with faults. What it counted is sent when it is asked. */
async function serve() {
  const { createLocalBackend, createRetrievalService, parseFaults } = await import('@aquifer/retrieval-service');
  const { createSeededRandom } = await import('@aquifer/contracts/testing');
  const { createBuiltinEmbedder } = await import('@aquifer/models');
  const faults = parseFaults(values.faults);
  const counts = { requests: 0, letThrough: 0, failedAtRandom: 0 };
  const random = createSeededRandom(Number(values.seed)).next;
  // The injector looks at the clock once a request (and once more for its first), and draws once for each error until one is drawn.
  counts.requests = faults.requestsPerSecond === undefined ? 0 : -1;
  let drawn = 0;
  const service = createRetrievalService({
    backend: createLocalBackend({
      embedderByName: async (name) => createBuiltinEmbedder({ dimensions: Number(name.split(':')[1] ?? 1024) }),
      generatorByName: () => Promise.reject(new Error('Nothing is generated here.')),
    }),
    faults,
    faultSource: {
      now: () => {
        counts.requests += 1;
        return performance.now();
      },
      random: () => {
        const number = random();
        if (drawn === 0) counts.letThrough += 1;
        const isError = number < faults.errors[drawn].rate;
        if (isError) counts.failedAtRandom += 1;
        drawn = isError || drawn === faults.errors.length - 1 ? 0 : drawn + 1;
        return number;
      },
    },
  });
  process.on('message', () => process.send(counts));
  process.send(await service.listen({ port: 0 }));
}

/** A server that does nothing but answer, so that what is measured is the client. */
async function serveFixed() {
  const numbers = JSON.stringify(Array.from({ length: 1024 }, (_, index) => Number((Math.sin(index) / 32).toFixed(9))));
  const body = `{"embedding":${numbers},"inputTextTokenCount":12}`;
  const server = createServer().on('stream', (stream) => {
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
}

async function start(args) {
  const child = fork(fileURLToPath(import.meta.url), args);
  const next = () => new Promise((resolve) => child.once('message', resolve));
  const url = await next();
  const counts = async () => {
    const answer = next();
    child.send('counts');
    return answer;
  };
  return { url, counts, stop: () => child.kill() };
}

async function openEmbedder(url, options = {}) {
  Object.assign(process.env, environment);
  const { createBedrockEmbedder } = await import('@aquifer/models');
  return createBedrockEmbedder({ model, connection: { endpoint: url, region: 'us-east-1' }, ...options });
}

async function openPeer(url, options = {}) {
  Object.assign(process.env, environment, { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url });
  const { BedrockEmbeddings } = await import('@langchain/aws');
  return new BedrockEmbeddings({ model, region: 'us-east-1', ...options });
}

function makeTexts(count) {
  return Array.from(
    { length: count },
    (_, index) => `Section ${index}. Employees may take ${index % 52} weeks of leave.`,
  );
}

async function quota() {
  const texts = makeTexts(Number(values.texts ?? 5000));
  const rps = Number(values.rps);
  const faults = `throttle=${rps}, latency=20, error=ThrottlingException:0.1, error=InternalServerException:0.02`;
  const server = await start(['serve', '--faults', faults, '--seed', values.seed]);
  const declared = values.undeclared ? {} : { requestsPerMinute: rps * 60 };
  const name = values.peer
    ? '@langchain/aws'
    : `Aquifer, ${values.undeclared ? 'quota not declared' : 'quota declared'}`;
  const client = values.peer ? await openPeer(server.url) : await openEmbedder(server.url, declared);
  const begin = performance.now();
  let embedded = 0;
  let failure = '';
  try {
    if (values.peer) embedded = (await client.embedDocuments(texts)).length;
    else embedded = (await client.embed(texts, { purpose: 'document' })).vectors.length;
  } catch (error) {
    failure = `: ${error.name}`;
  }
  const seconds = (performance.now() - begin) / 1000;
  const { requests, letThrough, failedAtRandom } = await server.counts();
  server.stop();
  const answers = letThrough - failedAtRandom;
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  // What has to be asked: each text, and again after each failure that has nothing to do with the rate.
  const necessary = texts.length + failedAtRandom;
  console.log(
    '| client | time | of the permitted rate | texts lost | answers paid for in vain | requests over the rate | of those that were needed |',
  );
  console.log('|---|---|---|---|---|---|---|');
  console.log(
    `| ${name} | ${seconds.toFixed(1)} s | ${percent(letThrough / (rps * seconds))} | ${texts.length - embedded}${failure} | ${Math.max(0, answers - embedded)} | ${requests - letThrough} | ${percent((requests - letThrough) / necessary)} |`,
  );
  process.exit();
}

async function permanent() {
  console.log('| client | requests for one permanent 400 | time | error |');
  console.log('|---|---|---|---|');
  const ways = [
    ['Aquifer', async (url) => (await openEmbedder(url)).embed(['text'], { purpose: 'query' })],
    ['@langchain/aws, maxRetries 2', async (url) => (await openPeer(url, { maxRetries: 2 })).embedQuery('text')],
  ];
  for (const [name, ask] of ways) {
    const server = await start(['serve', '--faults', 'error=ValidationException:1']);
    const begin = performance.now();
    const error = await ask(server.url).then(
      () => undefined,
      (reason) => reason,
    );
    const seconds = (performance.now() - begin) / 1000;
    const { letThrough } = await server.counts();
    server.stop();
    const { name: errorName, $metadata } = error;
    console.log(
      `| ${name} | ${letThrough} | ${seconds.toFixed(2)} s | ${errorName}, request id ${$metadata?.requestId ? 'kept' : 'lost'} |`,
    );
  }
  process.exit();
}

async function memory() {
  const total = Number(values.texts ?? 200_000);
  const server = await start(['serve-fixed']);
  const embedder = await openEmbedder(server.url);
  const window = 256;
  const begin = performance.now();
  console.log('| texts embedded | heap in use, MB | buffers, MB | process (RSS), MB |');
  console.log('|---|---|---|---|');
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  let next = 0;
  let nextSample = total / 20;
  let most = 0;
  const sample = (done) => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    most = Math.max(most, rss);
    console.log(
      `| ${done.toLocaleString('en')} | ${megabytes(heapUsed)} | ${megabytes(arrayBuffers)} | ${megabytes(rss)} |`,
    );
  };
  // As an index run does: some batches under way, vectors let go when they are stored.
  const work = async () => {
    while (next < total) {
      const from = next;
      next = Math.min(total, next + window);
      const texts = Array.from(
        { length: next - from },
        (_, index) => `Section ${from + index}. ${'Employees may take leave. '.repeat(20)}`,
      );
      await embedder.embed(texts, { purpose: 'document' });
      if (next >= nextSample) {
        sample(next);
        nextSample += total / 10;
      }
    }
  };
  await Promise.all([work(), work()]);
  const seconds = (performance.now() - begin) / 1000;
  console.log(`\n${total.toLocaleString('en')} texts in ${seconds.toFixed(0)} s, at most ${megabytes(most)} MB.`);
  server.stop();
  process.exit();
}
