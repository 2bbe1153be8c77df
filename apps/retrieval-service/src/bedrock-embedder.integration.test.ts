import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type AgentOptions, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { embedderContract, type RelatedTexts } from '@aquifer/contracts/testing';
import { type BedrockEmbedderOptions, createBedrockEmbedder, createPacer } from '@aquifer/models';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { embedderByName } from 'aquifer';
import { parseFaults } from './faults.js';
import { type StartedService, startService } from './testing/service-fixture.js';

/** An agent whose connections go through a proxy by its method CONNECT, as those of packages for proxies do. */
class TunnellingAgent extends Agent {
  readonly #proxy: string;
  constructor(proxy: string, options?: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }
  override createConnection(
    { host, port }: { host?: string | null; port?: number | string | null },
    connected: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const asked = request(this.#proxy, { method: 'CONNECT', path: `${host}:${port}`, agent: false });
    asked.once('connect', (_, socket) => connected(null, socket));
    asked.once('error', (error) => connected(error, asked.socket as Duplex));
    asked.end();
  }
}

const english: readonly RelatedTexts[] = [
  {
    question: 'How long is parental leave?',
    related: 'Parental leave is 52 weeks. It is announced one month before it begins.',
    unrelated: 'The printer on the second floor is out of paper.',
  },
];

describe('Bedrock embedders against the local Bedrock', () => {
  let started: StartedService;
  const opened: StartedService[] = [];
  before(async () => {
    started = await startService();
    opened.push(started);
  });
  after(() => Promise.all(opened.map((service) => service.close())));

  const models: readonly Omit<BedrockEmbedderOptions, 'connection'>[] = [
    { model: 'amazon.titan-embed-text-v1' },
    { model: 'amazon.titan-embed-text-v2:0' },
    { model: 'amazon.titan-embed-text-v2:0', dimensions: 256 },
    { model: 'amazon.titan-embed-text-v2:0', embeddingType: 'binary' },
    { model: 'amazon.titan-embed-image-v1', dimensions: 384 },
    { model: 'cohere.embed-english-v3' },
    { model: 'us.cohere.embed-multilingual-v3' },
    { model: 'cohere.embed-multilingual-v3', embeddingType: 'binary' },
  ];
  for (const options of models) {
    embedderContract(
      { describe, it },
      {
        name: Object.values(options).join(' '),
        create: () => createBedrockEmbedder({ ...options, connection: { client: started.client() } }),
        pairs: english,
      },
    );
  }

  it('embed a long text in parts that together are the text', async () => {
    const embedder = await createBedrockEmbedder({
      model: 'cohere.embed-multilingual-v3',
      connection: { client: started.client() },
    });
    const sentence = '東京都港区の本社では、新しい勤怠規則が四月から適用される。';
    const { tokens, parts } = await embedder.embed(['short', sentence.repeat(100)], { purpose: 'document' });
    assert.ok(parts![1]! >= 6, `${parts}`);
    assert.equal(tokens[1], sentence.length * 100);
  });

  it('lose nothing to throttling and failures, and ask again only for what failed', async () => {
    const faults = parseFaults('throttle=200, error=ThrottlingException:0.1, error=InternalServerException:0.02');
    const service = await startService({ faults });
    opened.push(service);
    const plain = await createBedrockEmbedder({
      model: 'amazon.titan-embed-text-v2:0',
      connection: { client: started.client() },
    });
    let sent = 0;
    const client = service.client();
    client.middlewareStack.add(
      (next) => (args) => {
        sent += 1;
        return next(args);
      },
      { step: 'finalizeRequest', name: 'count' },
    );
    const embedder = await createBedrockEmbedder({
      model: 'amazon.titan-embed-text-v2:0',
      connection: { client },
      pacer: createPacer({ name: 'titan', requestsPerMinute: 12_000 }),
    });
    const texts = Array.from({ length: 300 }, (_, index) => `Rule ${index} is about subject ${index * 7}.`);
    const [expected, { vectors }] = (await Promise.all(
      [plain, embedder].map((each) => each.embed(texts, { purpose: 'document' })),
    )) as [Awaited<ReturnType<typeof plain.embed>>, Awaited<ReturnType<typeof plain.embed>>];
    assert.deepEqual(vectors, expected.vectors);
    assert.ok(sent >= 300 && sent < 450, `${sent} requests for 300 texts`);
  });

  it('go through a proxy by a client with a request handler for it', async () => {
    const asked: (string | undefined)[] = [];
    const sockets = new Set<Duplex>();
    const proxy = createServer().on('connect', ({ url }, socket: Duplex) => {
      asked.push(url);
      // Nobody listens at the address that was asked for.
      const upstream = connect(Number(new URL(started.endpoint).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) sockets.add(end.on('error', () => end.destroy()));
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const httpAgent = new TunnellingAgent(address, { keepAlive: true });
    const client = started.client('http/1.1', {
      endpoint: 'http://127.0.0.2:1',
      requestHandler: new NodeHttpHandler({ httpAgent }),
    });
    try {
      const texts = ['Parental leave is 52 weeks.', 'The printer is out of paper.', 'Lunch is at noon.'];
      const model = 'amazon.titan-embed-text-v2:0';
      const embedder = await embedderByName(model, { bedrock: { client } });
      const { vectors } = await embedder.embed(texts, { purpose: 'document' });
      const direct = await embedderByName(model, { bedrock: { client: started.client() } });
      assert.deepEqual(vectors, (await direct.embed(texts, { purpose: 'document' })).vectors);
      assert.deepEqual(new Set(asked), new Set(['127.0.0.2:1']));
    } finally {
      httpAgent.destroy();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });

  it('give what Bedrock says to an empty text as it is', async () => {
    const client = started.client();
    const embedder = await createBedrockEmbedder({ model: 'amazon.titan-embed-text-v2:0', connection: { client } });
    await assert.rejects(embedder.embed([''], { purpose: 'document' }), {
      code: 'model-rejected',
      name: 'ValidationException',
    });
  });
});
