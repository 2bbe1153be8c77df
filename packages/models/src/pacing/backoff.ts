const firstMs = 100;
const longestMs = 20_000;

/**
 * How long to wait before the next try: twice as long each time, of it a random half, so that what failed together does not come
 * back together. A provider that says when to come again is obeyed, with a little scatter behind it.
 *
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param failures Tries that have failed, from 1 on.
 */
export function backoffMs(failures: number, retryAfterMs: number | undefined, random: () => number): number {
  const ms = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  if (retryAfterMs !== undefined) return retryAfterMs + (firstMs * random()) / 2;
  return ms / 2 + (ms / 2) * random();
}
