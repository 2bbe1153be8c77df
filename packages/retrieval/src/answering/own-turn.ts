import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn accepts one connection, so that many new callers need many of them. */
const mostTurns = 512;
/** In a turn that takes less, nothing has happened. */
const emptyTurnMs = 0.2;
let last: Promise<unknown> = Promise.resolve();

/** Lets pass what waits. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < mostTurns; turn++) {
    const startedAt = performance.now();
    await nextTurn();
    if (performance.now() - startedAt < emptyTurnMs) return;
  }
}

/**
 * Resolves in a turn of the event loop that no other caller gets. Packing passages and checking an answer take milliseconds each, and results of many searches come
 * in one turn: one after the other would keep sockets and timers waiting until all of them are answered.
 */
export async function ownTurn(): Promise<void> {
  last = last.then(pause);
  await last;
}
