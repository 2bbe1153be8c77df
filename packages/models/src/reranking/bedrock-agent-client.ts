import type { BedrockAgentRuntimeClient } from '@aws-sdk/client-bedrock-agent-runtime';
import { awsClientSettings, refuseRetries } from '../aws-client.js';

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
  if (connection.client) return await refuseRetries(connection.client, 'BedrockAgentRuntimeClient');
  const { BedrockAgentRuntimeClient } = await import('@aws-sdk/client-bedrock-agent-runtime');
  return new BedrockAgentRuntimeClient({
    ...awsClientSettings(connection),
    requestHandler: { disableConcurrentStreams: false, sessionTimeout: silenceMs, requestTimeout: silenceMs },
  });
}
