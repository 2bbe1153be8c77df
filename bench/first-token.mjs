// What the answerer adds to a model's first token: a server in another process streams an answer of Claude with native citations, and
// writes into its first words when it sent them. The same stream is read by the bare AWS SDK and by the whole path of an answer (event stream,
// family, markers, citations checked against the stored document). Search and packing come before the request and are not counted.
//
//   node bench/first-token.mjs [--answers 200]
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';

const model = 'us.anthropic.claude-sonnet-4-20250514-v1:0';
const words = ' weeks of parental leave are what full-time employees in Japan may take'.split(/(?= )/);
const tokenMs = 5;

if (process.env.FIRST_TOKEN_SERVER) await serve();
else await measure();

/** The model: thinks for 30 ms, then sends a word every few milliseconds. */
async function serve() {
  process.on('disconnect', () => process.exit());
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume().on('end', async () => {
      stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' });
      const send = (event) => stream.write(chunkEvent(event));
      const block = (index, type, more) => send({ type: `content_block_${type}`, index, ...more });
      const text = (index, value) => block(index, 'delta', { delta: { type: 'text_delta', text: value } });
      await pause(30);
      send({ type: 'message_start', message: { usage: { input_tokens: 100, output_tokens: 1 } } });
      block(0, 'start', { content_block: { type: 'text', text: '' } });
      text(0, `${process.hrtime.bigint()}`);
      for (const word of words) {
        await pause(tokenMs);
        text(0, word);
      }
      const citation = {
        type: 'search_result_location',
        search_result_index: 0,
        start_block_index: 0,
        end_block_index: 1,
      };
      block(0, 'delta', { delta: { type: 'citations_delta', citation } });
      block(0, 'stop');
      send({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 20 } });
      send({ type: 'message_stop' });
      stream.end();
    });
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

async function measure() {
  const { values } = parseArgs({ options: { answers: { type: 'string', default: '200' } } });
  const answers = Number(values.answers);
  const [{ createBedrockGenerator }, sdk] = await Promise.all([
    import('@aquifer/models'),
    import('@aws-sdk/client-bedrock-runtime'),
  ]);
  const { BedrockRuntimeClient, InvokeModelWithResponseStreamCommand } = sdk;
  const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, FIRST_TOKEN_SERVER: '1' } });
  const port = await new Promise((resolve) => child.once('message', resolve));
  const client = new BedrockRuntimeClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: { disableConcurrentStreams: false },
  });
  const generator = await createBedrockGenerator({ model, connection: { client } });
  const folder = mkdtempSync(join(tmpdir(), 'aquifer-first-token-'));
  const { answerer, store } = await handbookAnswerer(generator, folder);
  const question = 'How long is parental leave in Japan?';

  const bare = [];
  const whole = [];
  let citations = 0;
  for (let round = 0; round < answers; round++) {
    bare.push(await bareFirstToken(client, InvokeModelWithResponseStreamCommand));
    const { ms, cited } = await answerFirstToken(answerer, question);
    whole.push(ms);
    citations += cited;
  }
  if (citations !== answers) throw new Error(`${citations} citations in ${answers} answers`);
  // Compilation is over after the first answers.
  const rows = [
    ['bare AWS SDK', bare],
    ['**whole answer, citations included**', whole],
  ];
  console.log(
    `| from the model's first token to the caller's, ${answers} answers | median ms | p99 ms | first answer ms |`,
  );
  console.log('|---|---|---|---|');
  for (const [name, times] of rows) {
    console.log(`| ${name} | ${shown(rank(times, 0.5))} | ${shown(rank(times, 0.99))} | ${shown(times[0])} |`);
  }
  const [median, p99] = [0.5, 0.99].map((share) => shown(rank(whole, share) - rank(bare, share)));
  console.log(`| added | ${median} | ${p99} | |`);
  client.destroy();
  await store.close();
  rmSync(folder, { recursive: true });
  child.kill();
}

async function bareFirstToken(client, Command) {
  const { body } = await client.send(new Command({ modelId: model, body: '{}', contentType: 'application/json' }));
  let ms;
  for await (const { chunk } of body) {
    const event = JSON.parse(new TextDecoder().decode(chunk.bytes));
    if (ms === undefined && event.delta?.type === 'text_delta') ms = since(event.delta.text);
  }
  return ms;
}

async function answerFirstToken(answerer, question) {
  let ms;
  for await (const event of answerer.ask(question)) {
    if (ms === undefined && event.type === 'text') ms = since(event.text);
    if (event.type === 'answer') return { ms, cited: event.answer.citations.length };
  }
}

function since(hrtime) {
  return Number(process.hrtime.bigint() - BigInt(hrtime)) / 1e6;
}

/** The example handbook, indexed, with an answerer that asks this generator. */
async function handbookAnswerer(generator, folder) {
  const [aquifer, { openLocalStore }, { createBuiltinEmbedder }, { createAnswerer, createRetriever }, analysis] =
    await Promise.all([
      import('aquifer'),
      import('@aquifer/local-store'),
      import('@aquifer/models'),
      import('@aquifer/retrieval'),
      import('@aquifer/text-analysis'),
    ]);
  const location = join(folder, 'index');
  const knowledgeBase = await aquifer.openKnowledgeBase({ location });
  await knowledgeBase.index(fileURLToPath(new URL('../examples/handbook', import.meta.url)));
  await knowledgeBase.close();
  const store = await openLocalStore({ location, mode: 'read', analyser: analysis.createAnalyser() });
  const retriever = createRetriever({ store, embedder: createBuiltinEmbedder() });
  return { answerer: createAnswerer({ store, retriever, generator }), store };
}

function rank(values, share) {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}

function shown(ms) {
  return ms.toFixed(2);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One frame of `application/vnd.amazon.eventstream` with a model's JSON inside. */
function chunkEvent(json) {
  const header = (name, value) => {
    const bytes = Buffer.alloc(4 + name.length + value.length);
    bytes.writeUInt8(name.length, 0);
    bytes.write(name, 1);
    bytes.writeUInt8(7, 1 + name.length);
    bytes.writeUInt16BE(value.length, 2 + name.length);
    bytes.write(value, 4 + name.length);
    return bytes;
  };
  const headers = Buffer.concat([
    header(':message-type', 'event'),
    header(':event-type', 'chunk'),
    header(':content-type', 'application/json'),
  ]);
  const payload = Buffer.from(JSON.stringify({ bytes: Buffer.from(JSON.stringify(json)).toString('base64') }));
  const frame = Buffer.alloc(16 + headers.length + payload.length);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  headers.copy(frame, 12);
  payload.copy(frame, 12 + headers.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}
