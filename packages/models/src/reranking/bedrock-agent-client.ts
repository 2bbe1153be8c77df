import { AquiferError } from '@aquifer/contracts';
import type { BedrockAgentRuntimeClient } from '@aws-sdk/client-bedrock-agent-runtime';

/**
 * How Bedrock's Agents runtime is reached, which reranks. What is left out follows the AWS SDK's own rules; the endpoint's variable is
 * `AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME`.
 */
export interface BedrockAgentConnection {
  /** A ready client with `maxAttempts: 1`; the options below are then not used, and closing it is its owner's business. */
  readonly client?: BedrockAgentRuntimeClient;
  readonly region?: string;
  readonly endpoint?: string;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile?: string;
}

/** Silence that ends a request. */
const silenceMs = 120_000;

/** @throws `invalid-options` for a client that retries by itself. */
export async function bedrockAgentClient(connection: BedrockAgentConnection): Promise<BedrockAgentRuntimeClient> {
  const { client, region, endpoint, profile } = connection;
  if (client) {
    const attempts = await client.config.maxAttempts();
    if (attempts <= 1) return client;
    throw new AquiferError(
      'invalid-options',
      `The client that was passed in tries every request ${attempts} times by itself, which would multiply with the paced retries here. ` +
        'Make it with new BedrockAgentRuntimeClient({ maxAttempts: 1, … }).',
    );
  }
  const { BedrockAgentRuntimeClient } = await import('@aws-sdk/client-bedrock-agent-runtime');
  return new BedrockAgentRuntimeClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 1,
    requestHandler: { disableConcurrentStreams: false, sessionTimeout: silenceMs, requestTimeout: silenceMs },
  });
}
