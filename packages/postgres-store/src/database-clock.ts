import type { Transactions } from './transactions.js';

/** How long one answer of the server is gone by: so long, two machines count the same seconds. */
const trustMs = 60_000;

/** The server's clock: asked once a minute, and counted on from there by one that nobody sets. */
export function createDatabaseClock(transactions: Pick<Transactions, 'read'>): () => Promise<number> {
  let asking: Promise<{ readonly time: number; readonly at: number }> | undefined;
  let until = 0;
  const ask = async () => {
    const [row] = await transactions.read((query) =>
      query('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS time'),
    );
    return { time: row?.time as number, at: performance.now() };
  };
  return async () => {
    if (asking === undefined || performance.now() > until) {
      until = performance.now() + trustMs;
      const mine = ask();
      asking = mine;
      mine.catch(() => {
        if (asking === mine) asking = undefined;
      });
    }
    const { time, at } = await asking;
    return Math.round(time + performance.now() - at);
  };
}
