import { settlesWithin } from './settles-within.js';

/** A stream whose first event was asked for. */
export interface Begun<Item> {
  /** Whoever takes these has to ask for the first, and to leave the loop: they hold what makes them. */
  readonly events: AsyncIterable<Item>;
  /** Whether the first is not here yet. */
  readonly isAwaited: boolean;
}

const patienceMs = 100;
/** When more streams than these begin at once, nobody's first event comes soon, and a timer each would take longer than the rest. */
const mostAwaited = 16;
let awaited = 0;
/** Until when one that begins is still one of many: as the first of them are done with waiting, the last would be given time again. */
let manyUntil = 0;

/**
 * Begins the stream: a failure before its first event, such as a model that is not there, still has a status of its own. What takes longer than a moment is not waited
 * for, so that the caller sees a stream: such a failure is its only event. Where many streams begin at once, the moment is this turn of the event loop.
 */
export async function begun<Item>(items: AsyncIterable<Item>): Promise<Begun<Item>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  awaited += 1;
  const now = performance.now();
  if (awaited > mostAwaited || now < manyUntil) manyUntil = now + patienceMs;
  const isHere = await settlesWithin(first, now < manyUntil ? 0 : patienceMs);
  awaited -= 1;
  if (isHere) await first;
  const events = (async function* () {
    try {
      for (let next = await first; !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
  return { events, isAwaited: !isHere };
}
