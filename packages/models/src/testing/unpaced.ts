import type { Pacer } from '../pacing/pacer.js';

/** Asks once, at once: for tests of what a failure is called, not of how often it is tried. */
export const unpaced: Pacer = {
  run: async ({ attempt, signal = new AbortController().signal }) => (await attempt(signal)).value,
};
