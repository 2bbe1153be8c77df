import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects the garbage of this thread now. V8 leaves it where it is until a good part of what the thread may have is full of it, and a
 * thread that has just done something large may have nothing to do for long. Takes about a millisecond for a megabyte that is in use.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  // Until another one matches, the last text that a regular expression matched stays.
  /^/.test('');
  collect();
}
