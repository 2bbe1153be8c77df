import { throwIfAborted } from '@aquifer/contracts';
import type { PacedRequest, Pacer } from './pacer.js';

/**
 * A stream that is opened by a pacer: tried again until it has opened, and never afterwards. Ends the request whichever way reading ends.
 *
 * @param open Its signal fires when the caller cancels, when an attempt is given up, and when nobody reads any more.
 */
export async function* pacedStream<Item>(
  pacer: Pacer,
  { tokens, signal }: Pick<PacedRequest<never>, 'tokens' | 'signal'>,
  open: (signal: AbortSignal) => Promise<AsyncIterable<Item>>,
): AsyncGenerator<Item> {
  throwIfAborted(signal);
  const closing = new AbortController();
  const close = (): void => closing.abort(signal?.reason);
  signal?.addEventListener('abort', close, { once: true });
  try {
    const items = await pacer.run({
      tokens,
      ...(signal && { signal }),
      // The attempt's signal fires at its deadline as well, which must not cut a stream that has opened.
      attempt: async (attemptSignal) => {
        attemptSignal.addEventListener('abort', close, { once: true });
        try {
          return { value: await open(closing.signal) };
        } finally {
          attemptSignal.removeEventListener('abort', close);
        }
      },
    });
    for await (const item of items) {
      throwIfAborted(signal);
      yield item;
    }
    throwIfAborted(signal);
  } finally {
    signal?.removeEventListener('abort', close);
    closing.abort();
  }
}
