import { BedrockRuntimeClient, type BedrockRuntimeClientConfig } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { embedderByName, generatorByName, rerankerFor } from 'aquifer';
import { createLocalBackend } from '../local-backend.js';
import { createRetrievalService, type RetrievalServiceOptions } from '../retrieval-service.js';

/** As `aquifer serve` finds models. */
export const modelsByName = { embedderByName, generatorByName, rerankerByName: rerankerFor };

/** A service on a free port of this machine, with clients of it; `close` ends all of them. */
export async function startService(
  options: Partial<RetrievalServiceOptions> & { readonly models?: Readonly<Record<string, string>> } = {},
) {
  const { models, ...others } = options;
  const backend = createLocalBackend({ models, ...modelsByName });
  const service = createRetrievalService({ backend, ...others });
  const endpoint = await service.listen({ port: 0 });
  const clients: BedrockRuntimeClient[] = [];
  return {
    service,
    endpoint,
    /** An unmodified client; HTTP/2 is what it speaks by itself. */
    client(protocol: 'h2c' | 'http/1.1' = 'h2c', config: BedrockRuntimeClientConfig = {}): BedrockRuntimeClient {
      const client = new BedrockRuntimeClient({
        endpoint,
        region: 'us-east-1',
        maxAttempts: 1,
        ...(protocol === 'http/1.1' && { requestHandler: new NodeHttpHandler() }),
        ...config,
        // The SDK writes into what it is given.
        credentials: { accessKeyId: 'local', secretAccessKey: 'local', ...config.credentials },
      });
      clients.push(client);
      return client;
    },
    async close(): Promise<void> {
      for (const client of clients) client.destroy();
      await service.close({ graceMs: 1_000 });
    },
  };
}

/** A service for one test, closed whatever happens. */
export async function withService(
  options: Parameters<typeof startService>[0],
  use: (started: StartedService) => Promise<void>,
): Promise<void> {
  const started = await startService(options);
  try {
    await use(started);
  } finally {
    await started.close();
  }
}

export type StartedService = Awaited<ReturnType<typeof startService>>;

/** What an `InvokeModel` answer holds. */
// biome-ignore lint/suspicious/noExplicitAny: a test takes what it expects to be there, and fails where it is not
export const parsed = (body: Uint8Array | undefined): any => JSON.parse(new TextDecoder().decode(body));
