import { setTimeout as wait } from 'node:timers/promises';

const patienceMs = 100;

/**
 * Begins the stream: a failure before its first event, such as a model that is not there, still has a status of its own. What takes longer than a moment is not waited
 * for, so that the caller sees a stream: such a failure is its only event.
 */
export async function begun<Item>(items: AsyncIterable<Item>): Promise<AsyncIterable<Item>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  const moment = new AbortController();
  await Promise.race([first, wait(patienceMs, undefined, { signal: moment.signal }).catch(() => {})]).finally(() =>
    moment.abort(),
  );
  // It is asked for below, or not at all where the caller has gone by then.
  first.catch(() => {});
  return (async function* () {
    try {
      for (let next = await first; !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
