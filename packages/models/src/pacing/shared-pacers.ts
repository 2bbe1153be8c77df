import { createPacer, type Pacer, type PacerOptions } from './pacer.js';

type Pacers = Map<string, Pacer>;

const nobody = {};
/** By the quota of a database that they keep to, and by the client that they are for: forgotten with them. */
const pacers = new WeakMap<object, WeakMap<object, Pacers>>();

/**
 * The one pacer of this process for a provider's quota: everything that counts against the same quota must wait in the same line. Who asks with
 * other limits, or for another client, gets another one, because those of the first who asked are not theirs.
 *
 * @param key Names the quota: provider, region or address, account where it is known, model.
 * @param client Whose requests are paced, where the key does not say where they go.
 *
 * @example
 * const pacer = sharedPacer('bedrock|us-east-1|amazon.titan-embed-text-v2:0', { name: 'amazon.titan-embed-text-v2:0 in us-east-1' });
 */
export function sharedPacer(key: string, options: PacerOptions, client: object = nobody): Pacer {
  const { requestsPerMinute, tokensPerMinute, concurrency, deadlineMs, outageMs, shared } = options;
  const known = pacersOf(shared?.quota ?? nobody, client);
  const limits = [requestsPerMinute, tokensPerMinute, concurrency, deadlineMs, outageMs, shared?.key];
  const name = JSON.stringify([key, ...limits]);
  let pacer = known.get(name);
  if (pacer === undefined) {
    pacer = createPacer(options);
    known.set(name, pacer);
  }
  return pacer;
}

function pacersOf(quota: object, client: object): Pacers {
  let ofQuota = pacers.get(quota);
  if (ofQuota === undefined) {
    ofQuota = new WeakMap();
    pacers.set(quota, ofQuota);
  }
  let found = ofQuota.get(client);
  if (found === undefined) {
    found = new Map();
    ofQuota.set(client, found);
  }
  return found;
}
