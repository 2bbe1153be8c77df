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

const encoder = new TextEncoder();
/** A comment: proxies end connections on which nothing happens. */
const heartbeat = encoder.encode(': still here\n\n');
const heartbeatMs = 15_000;

/**
 * A body of events. A failure in the middle is its last event, `error`, because the status is on its way already. Cancelling the body leaves the loop
 * over the events, which stops what makes them.
 */
export function eventStream(
  events: AsyncIterable<{ readonly id?: number; readonly type: string; readonly data: unknown }>,
  describe: (thrown: unknown) => unknown,
  write: typeof serverSentEvent = serverSentEvent,
): ReadableStream<Uint8Array> {
  const iterator = events[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  let opening: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const beat = (): void => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(heartbeat);
      };
      // Headers leave with the first bytes.
      opening = setTimeout(beat, 0);
      timer = setInterval(beat, heartbeatMs);
      timer.unref();
    },
    async pull(controller) {
      try {
        const next = await iterator.next().finally(() => clearTimeout(opening));
        if (!next.done) {
          controller.enqueue(encoder.encode(write(next.value)));
          return;
        }
      } catch (thrown) {
        controller.enqueue(encoder.encode(write({ type: 'error', data: describe(thrown) })));
      }
      clearInterval(timer);
      controller.close();
    },
    async cancel() {
      clearTimeout(opening);
      clearInterval(timer);
      await iterator.return?.();
    },
  });
}

/** What goes with a body of events. */
export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx keeps a stream back otherwise.
  'x-accel-buffering': 'no',
};
