import { ReadyAnswer } from './ready-answer.js';
import { settlesWithin } from './settles-within.js';

/** One event of a stream as the HTML standard (9.2, server-sent events) writes it. */
export function serverSentEvent(event: {
  readonly id?: number;
  readonly type: string;
  readonly data: unknown;
}): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  // JSON has no line ends of its own.
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

/** A comment: proxies end connections on which nothing happens. */
const heartbeat = ': still here\n\n';
const heartbeatMs = 15_000;

/**
 * A body of events, with a comment before what is not here at once and after every quarter of a minute in which nothing happens. A failure in the middle is its last
 * event, `error`, because the status is on its way already. Leaving the loop over it leaves the one over the events, which stops what makes them.
 *
 * @param isAwaited Whether it is known that the first event is not here: the comment then leaves in one packet with the head.
 */
export async function* eventStream(
  events: AsyncIterable<{ readonly id?: number; readonly type: string; readonly data: unknown }>,
  describe: (thrown: unknown) => unknown,
  { write = serverSentEvent, isAwaited = false }: { write?: typeof serverSentEvent; isAwaited?: boolean } = {},
): AsyncGenerator<string, void, undefined> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    // The caller sees a stream at once.
    for (let patienceMs = isAwaited ? undefined : 0; ; patienceMs = heartbeatMs) {
      const coming = iterator.next();
      let isHere = patienceMs !== undefined && (await settlesWithin(coming, patienceMs));
      while (!isHere) {
        yield heartbeat;
        isHere = await settlesWithin(coming, heartbeatMs);
      }
      const next = await coming;
      if (next.done) return;
      yield write(next.value);
    }
  } catch (thrown) {
    yield write({ type: 'error', data: describe(thrown) });
  } finally {
    await iterator.return?.();
  }
}

/** An answer whose body is events. */
export function streamed(events: AsyncIterable<string>): never {
  return new ReadyAnswer(events, 200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx keeps a stream back otherwise.
    'x-accel-buffering': 'no',
  }) as never;
}
