import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collector = () => void;

/**
 * V8's own, which a new context has while a flag is set. Flags are those of the process: another thread that collects at this moment may take this one back before the
 * context is there.
 */
function findCollector(): Collector | undefined {
  const mostAttempts = 100;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('globalThis.gc') as Collector | undefined;
    setFlagsFromString('--no-expose-gc');
    if (collect !== undefined) return collect;
  }
  return undefined;
}

/**
 * Collects the garbage of this thread now. V8 leaves it where it is until a good part of what the thread may have is full of it, and a
 * thread that has just done something large may have nothing to do for long. Takes about two milliseconds for a megabyte that is in use.
 */
export function collectGarbage(): void {
  const collect = findCollector();
  // Until another one matches, the last text that a regular expression matched stays.
  /^/.test('');
  // The first time may only end what V8 had begun, and leaves what was in use then: the text of a document, hundreds of buffers.
  collect?.();
  collect?.();
}
