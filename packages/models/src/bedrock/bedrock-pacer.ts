import type { SharedQuota } from '@aquifer/contracts';
import type { Pacer, PacerOptions } from '../pacing/pacer.js';
import { sharedPacer } from '../pacing/shared-pacers.js';
import type { BedrockAddress } from './bedrock-client.js';

/** The pacer that all requests of this process to a model of Bedrock at one address share that keep to the same quota: AWS counts by account, region and model. */
export function bedrockPacer(
  modelId: string,
  { endpoint }: BedrockAddress,
  quota: Pick<PacerOptions, 'requestsPerMinute' | 'tokensPerMinute'> = {},
  sharedQuota?: SharedQuota,
): Pacer {
  const { requestsPerMinute, tokensPerMinute } = quota;
  const key = `bedrock|${endpoint ?? ''}|${modelId}`;
  return sharedPacer(key, {
    name: endpoint === undefined ? modelId : `${modelId} at ${endpoint}`,
    requestsPerMinute,
    tokensPerMinute,
    shared: sharedQuota && { quota: sharedQuota, key },
  });
}
