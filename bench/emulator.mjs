// Requests a second of the local Bedrock: Titan v2, 1,024 dimensions, by the unmodified AWS SDK on loopback, against a server that
// answers a fixed body of the same size. Clients and server are processes of their own; one process of the SDK's client is busy long before the
// server is, so there are several. Usage: node bench/emulator.mjs [--seconds 8] [--concurrency 16] [--clients 1,2] [--protocol http/1.1]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp1Server } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';

// Said once a process, on stderr.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    warm: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '16' },
    clients: { type: 'string', default: '1,2' },
    fixed: { type: 'string' },
    ask: { type: 'string' },
    protocol: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const concurrency = Number(values.concurrency);
const bin = fileURLToPath(new URL('../apps/cli/bin/aquifer.js', import.meta.url));

// As this process's own child: a server that does nothing but answer.
if (values.fixed !== undefined) {
  const numbers = JSON.stringify(Array.from({ length: 1024 }, (_, index) => Number((Math.sin(index) / 32).toFixed(9))));
  const body = `{"embedding":${numbers},"embeddingsByType":{"float":${numbers}},"inputTextTokenCount":12}`;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const server =
    values.fixed === 'h2c'
      ? createHttp2Server().on('stream', (stream) => {
          stream.resume();
          stream.on('end', () => {
            stream.respond({ ':status': 200, ...headers });
            stream.end(body);
          });
        })
      : createHttp1Server((request, response) => {
          request.resume();
          request.on('end', () => response.writeHead(200, headers).end(body));
        });
  server.listen(0, '127.0.0.1', () =>
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })),
  );
  await new Promise(() => {});
}

/** Starts a server that prints its address as JSON. */
async function start(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return { child, url: JSON.parse(text.slice(0, text.indexOf('\n'))).url };
}

const texts = Array.from(
  { length: 500 },
  (_, index) =>
    `Section ${index}. Employees in office ${index % 37} may take ${index % 52} weeks of leave, announced ${index % 9} weeks before.`,
);
const cpuSeconds = (usage) => (usage.user + usage.system) / 1e6;
/** User and system time of another process, where the system says it: Linux, in hundredths of a second. */
function cpuSecondsOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

const modelId = 'amazon.titan-embed-text-v2:0';

/** The SDK's client, in each of the ways it can send; and, for what a server can do, requests without it. */
function openClient(url, protocol) {
  if (protocol === 'h2c, no SDK') {
    const session = connect(url);
    const path = `/model/${encodeURIComponent(modelId)}/invoke`;
    const send = (body) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
        stream
          .on('data', () => {})
          .on('end', resolve)
          .on('error', reject);
        stream.end(body);
      });
    return { send, close: () => session.close() };
  }
  const handlers = {
    h2c: {},
    'h2c, one connection': { requestHandler: { disableConcurrentStreams: false } },
    'http/1.1': { requestHandler: new NodeHttpHandler({ httpAgent: { maxSockets: 1_000, keepAlive: true } }) },
  };
  const client = new BedrockRuntimeClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    ...handlers[protocol],
  });
  return {
    send: (body) => client.send(new InvokeModelCommand({ modelId, contentType: 'application/json', body })),
    close: () => client.destroy(),
  };
}

/** What one client process sees: milliseconds of each request, and its own CPU. */
async function ask(url, protocol) {
  const client = openClient(url, protocol);
  const times = [];
  let next = 0;
  const worker = async (until) => {
    while (performance.now() < until) {
      const started = performance.now();
      const inputText = texts[next++ % texts.length];
      await client.send(JSON.stringify({ inputText }));
      times.push(performance.now() - started);
    }
  };
  const run = (ms) => Promise.all(Array.from({ length: concurrency }, () => worker(performance.now() + ms)));
  await run(Number(values.warm) * 1_000);
  times.length = 0;
  console.log('warm');
  const before = process.cpuUsage();
  const started = performance.now();
  await run(seconds * 1_000);
  const elapsed = (performance.now() - started) / 1_000;
  const cpu = cpuSeconds(process.cpuUsage(before));
  client.close();
  return { times, elapsed, cpu };
}

if (values.ask !== undefined) {
  // Left to itself a pipe loses what is still to be written when a process ends.
  const seen = JSON.stringify(await ask(values.ask, values.protocol));
  await new Promise((resolve) => process.stdout.write(seen, resolve));
  process.exit();
}

async function measure(url, pid, protocol, clients) {
  const args = [
    '--seconds',
    String(seconds),
    '--warm',
    values.warm,
    '--concurrency',
    String(Math.ceil(concurrency / clients)),
  ];
  const self = fileURLToPath(import.meta.url);
  let serverBefore;
  const asked = Array.from({ length: clients }, async () => {
    const child = spawn(process.execPath, [self, '--ask', url, '--protocol', protocol, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of child.stdout) {
      serverBefore ??= cpuSecondsOf(pid);
      text += chunk;
    }
    return JSON.parse(text.slice(text.indexOf('\n')));
  });
  const results = await Promise.all(asked);
  const server = cpuSecondsOf(pid) - serverBefore;
  const times = results.flatMap((result) => result.times).sort((a, b) => a - b);
  const own = results.reduce((sum, { cpu }) => sum + cpu, 0);
  return {
    perSecond: Math.round(results.reduce((sum, result) => sum + result.times.length / result.elapsed, 0)),
    p50: times[Math.floor(times.length * 0.5)].toFixed(1),
    p99: times[Math.floor(times.length * 0.99)].toFixed(1),
    clientMs: ((own / times.length) * 1_000).toFixed(2),
    serverMs: ((server / times.length) * 1_000).toFixed(2),
  };
}

console.log(
  '| protocol | client processes | server | requests/s | p50 ms | p99 ms | CPU ms a request, client | CPU ms a request, server |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
const protocols = ['h2c', 'h2c, one connection', 'http/1.1', 'h2c, no SDK'];
for (const protocol of values.protocol === undefined ? protocols : [values.protocol]) {
  const servers = [
    ['**Aquifer**', [bin, 'serve', '--port', '0', '--json']],
    ['a fixed body', [fileURLToPath(import.meta.url), '--fixed', protocol.startsWith('h2c') ? 'h2c' : 'http/1.1']],
  ];
  for (const clients of values.clients.split(',').map(Number)) {
    for (const [name, args] of servers) {
      const { child, url } = await start(args);
      const { perSecond, p50, p99, clientMs, serverMs } = await measure(url, child.pid, protocol, clients);
      console.log(
        `| ${protocol} | ${clients} | ${name} | ${perSecond} | ${p50} | ${p99} | ${clientMs} | ${serverMs} |`,
      );
      child.kill();
    }
  }
}
