import { createPacer, type Pacer, type PacerOptions } from './pacer.js';

const pacers = new Map<string, Pacer>();

/**
 * The one pacer of this process for a provider's quota, made with `options` when it is first asked for: everything that counts against
 * the same quota must wait in the same line.
 *
 * @param key Names the quota: provider, region or address, account where it is known, model.
 *
 * @example
 * const pacer = sharedPacer('bedrock|us-east-1|amazon.titan-embed-text-v2:0', { name: 'amazon.titan-embed-text-v2:0 in us-east-1' });
 */
export function sharedPacer(key: string, options: PacerOptions): Pacer {
  let pacer = pacers.get(key);
  if (pacer === undefined) {
    pacer = createPacer(options);
    pacers.set(key, pacer);
  }
  return pacer;
}
