import type { Pacer, PacerOptions } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';
import type { BedrockAddress } from './bedrock-client.js';

/** The pacer that all requests of this process to a model of Bedrock at one address share: AWS counts by account, region and model. */
export function bedrockPacer(
  modelId: string,
  { endpoint }: BedrockAddress,
  quota: Pick<PacerOptions, 'requestsPerMinute' | 'tokensPerMinute'> = {},
): Pacer {
  const { requestsPerMinute, tokensPerMinute } = quota;
  return sharedPacer(`bedrock|${endpoint ?? ''}|${modelId}`, {
    name: endpoint === undefined ? modelId : `${modelId} at ${endpoint}`,
    requestsPerMinute,
    tokensPerMinute,
  });
}
