/** What a key may do in a minute. */
export interface RateRules {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export interface RateLimits {
  /** Counts a request; when it is one too many it is not counted, and the answer is how many seconds to wait. */
  request(key: string, rules: RateRules): number | undefined;
  /** Counts tokens after the fact: they are known when a model has answered. The next requests wait until they are worked off. */
  tokens(key: string, rules: RateRules, count: number): void;
}

const minuteMs = 60_000;

interface Bucket {
  level: number;
  at: number;
}

/** Token buckets, full at first, which fill up within a minute; one of each kind a key. */
export function createRateLimits(now: () => number = () => performance.now()): RateLimits {
  const buckets = new Map<string, Bucket>();

  function filled(name: string, perMinute: number): Bucket {
    const at = now();
    const bucket = buckets.get(name) ?? { level: perMinute, at };
    bucket.level = Math.min(perMinute, bucket.level + ((at - bucket.at) * perMinute) / minuteMs);
    bucket.at = at;
    buckets.set(name, bucket);
    return bucket;
  }

  const secondsUntil = (bucket: Bucket, level: number, perMinute: number): number =>
    Math.max(1, Math.ceil(((level - bucket.level) * 60) / perMinute));

  return {
    request(key, { requestsPerMinute, tokensPerMinute }) {
      if (tokensPerMinute !== undefined) {
        const bucket = filled(`tokens ${key}`, tokensPerMinute);
        if (bucket.level <= 0) return secondsUntil(bucket, 1, tokensPerMinute);
      }
      if (requestsPerMinute === undefined) return undefined;
      const bucket = filled(`requests ${key}`, requestsPerMinute);
      if (bucket.level < 1) return secondsUntil(bucket, 1, requestsPerMinute);
      bucket.level -= 1;
      return undefined;
    },
    tokens(key, { tokensPerMinute }, count) {
      if (tokensPerMinute !== undefined) filled(`tokens ${key}`, tokensPerMinute).level -= count;
    },
  };
}
