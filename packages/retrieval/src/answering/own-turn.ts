import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';

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

/** As long as questions come less than this after one another, they come at once. */
const momentMs = 2;
/** Some come all the time. */
const mostMs = 500;
let cameAt = Number.NEGATIVE_INFINITY;
let quiet: Promise<void> | undefined;

async function quietMoment(): Promise<void> {
  const until = performance.now() + mostMs;
  do {
    await wait(momentMs);
    // Whoever came while this thread did something else for a moment, such as collecting garbage, is still to be heard.
    await pause();
  } while (performance.now() < cameAt + momentMs && performance.now() < until);
  quiet = undefined;
}

/**
 * Resolves when no other caller comes any more, for the first of all at once. Searches take the processors from whoever is still to be heard: of many callers at
 * once, the last would be told that it was heard when the first have their answers.
 */
export async function lastOfMany(): Promise<void> {
  const now = performance.now();
  const isAlone = now > cameAt + momentMs;
  cameAt = now;
  if (isAlone) return;
  quiet ??= quietMoment();
  await quiet;
}
