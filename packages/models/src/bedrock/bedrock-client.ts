import type { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { awsClientSettings, refuseRetries } from '../aws-client.js';

/**
 * How Bedrock is reached. What is left out follows the AWS SDK's own rules: `AWS_REGION`, `AWS_PROFILE`, `~/.aws`, container and
 * instance roles, `AWS_BEARER_TOKEN_BEDROCK`, `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`.
 */
export interface BedrockConnection {
  /**
   * A ready client; the options below are then not used, and closing it is its owner's business. It must have `maxAttempts: 1`, because
   * retries are paced here. The way through a proxy is a client with a `requestHandler` of its own: HTTP/2 has no proxies in Node.
   */
  readonly client?: BedrockRuntimeClient;
  readonly region?: string;
  /** Such as `https://vpce-0123456789abcdef0-abcdefgh.bedrock-runtime.eu-central-1.vpce.amazonaws.com`, or a local server's `http://…`. */
  readonly endpoint?: string;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile?: string;
}

/** Where requests of a client go, for messages and for what is shared per region. */
export interface BedrockAddress {
  readonly region?: string;
  /** Origin, and path where there is one: `https://bedrock-runtime.us-east-1.amazonaws.com`. */
  readonly endpoint?: string;
}

/**
 * Silence that ends a connection or a stream. Below the 350 seconds after which NAT gateways and load balancers of AWS forget a connection
 * without a word, and long enough for a model that thinks before it speaks.
 */
const silenceMs = 300_000;

const shared = new Map<string, Promise<BedrockRuntimeClient>>();

/**
 * The client of a connection. Equal options share one client and its connections; the SDK is loaded when the first is asked for.
 * The SDK's own retries are off: a request is retried in one place, the pacer.
 *
 * @throws `invalid-options` for a client that retries by itself.
 *
 * @example
 * const client = await bedrockClient({ region: 'eu-central-1' });
 * await client.send(new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Hello"}' }));
 */
export async function bedrockClient(connection: BedrockConnection = {}): Promise<BedrockRuntimeClient> {
  const { client, region, endpoint, profile } = connection;
  if (client) return await refuseRetries(client, 'BedrockRuntimeClient');
  const key = JSON.stringify([region, endpoint, profile]);
  const known = shared.get(key) ?? createClient({ region, endpoint, profile });
  shared.set(key, known);
  known.catch(() => shared.delete(key));
  return known;
}

/** Closes the connections of all shared clients; the next request opens new ones. Idle connections do not keep a process alive. */
export async function closeBedrockClients(): Promise<void> {
  const clients = [...shared.values()];
  shared.clear();
  for (const client of await Promise.allSettled(clients)) if (client.status === 'fulfilled') client.value.destroy();
}

async function createClient(options: Omit<BedrockConnection, 'client'>): Promise<BedrockRuntimeClient> {
  const { BedrockRuntimeClient } = await import('@aws-sdk/client-bedrock-runtime');
  return new BedrockRuntimeClient({
    ...awsClientSettings(options),
    // The SDK opens a connection for every request by default, which costs a TLS handshake each.
    requestHandler: { disableConcurrentStreams: false, sessionTimeout: silenceMs, requestTimeout: silenceMs },
  });
}

/** What of an AWS client's settings says where its requests go. */
interface AddressedClient {
  readonly config: Pick<BedrockRuntimeClient['config'], 'region' | 'useFipsEndpoint' | 'useDualstackEndpoint'> &
    Partial<Pick<BedrockRuntimeClient['config'], 'endpoint' | 'endpointProvider' | 'serviceConfiguredEndpoint'>>;
}

/** Where the requests of a client go, by the SDK's own rules. Never rejects: it names places in messages about other failures. */
export async function bedrockAddress({ config }: AddressedClient): Promise<BedrockAddress> {
  const region = await config.region().catch(() => undefined);
  const endpoint = await endpointOf(config, region).catch(() => undefined);
  return { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) };
}

async function endpointOf(config: AddressedClient['config'], region: string | undefined): Promise<string | undefined> {
  if (config.endpoint) {
    const { protocol, hostname, port, path } = await config.endpoint();
    return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path === '/' ? '' : path}`;
  }
  const configured = await config.serviceConfiguredEndpoint?.();
  if (configured !== undefined) return configured;
  if (region === undefined) return undefined;
  const [UseFIPS, UseDualStack] = await Promise.all([config.useFipsEndpoint(), config.useDualstackEndpoint()]);
  return config.endpointProvider?.({ Region: region, UseFIPS, UseDualStack }).url.origin;
}
