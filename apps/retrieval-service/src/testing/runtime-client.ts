import { BedrockAgentRuntimeClient } from '@aws-sdk/client-bedrock-agent-runtime';

/** An unmodified client of Bedrock Knowledge Bases that asks once. */
export function runtimeClient(
  endpoint: string,
  accessKeyId = 'local',
  secretAccessKey = 'local',
): BedrockAgentRuntimeClient {
  const credentials = { accessKeyId, secretAccessKey };
  return new BedrockAgentRuntimeClient({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials });
}
