import { isAquiferError } from '@aquifer/contracts';

interface Closeable {
  close(): Promise<void>;
}

/** One handle for everybody, opened when it is first needed. */
export interface KeptOpen<Handle> {
  use<Result>(use: (handle: Handle) => Promise<Result>): Promise<Result>;
  iterate<Item>(use: (handle: Handle) => AsyncIterable<Item>): AsyncIterable<Item>;
  /** Waits for those who use it. It is opened again for whoever comes after. */
  close(): Promise<void>;
}

/** What a handle fails with when the index it was opened on has been deleted, replaced or rebuilt since. */
const outlived = [
  'index-not-found',
  'index-corrupt',
  'index-unavailable',
  'embedder-mismatch',
  'index-outdated',
] as const;

/**
 * Keeps a handle open. When the index is no longer the one that was opened (it was deleted, or rebuilt with another embedder), it is opened
 * once more before the failure is the caller's.
 */
export function createKeptOpen<Handle extends Closeable>(open: () => Promise<Handle>): KeptOpen<Handle> {
  interface Shared {
    readonly handle: Promise<Handle>;
    users: number;
    isLeft: boolean;
    done: Promise<void>;
    finish: () => void;
  }
  let current: Shared | undefined;

  function take(): Shared {
    if (current === undefined) {
      let finish = () => {};
      const done = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const shared: Shared = { handle: open(), users: 0, isLeft: false, done, finish };
      shared.handle.catch(() => {
        if (current === shared) current = undefined;
        finish();
      });
      current = shared;
    }
    current.users += 1;
    return current;
  }

  async function end(shared: Shared): Promise<void> {
    const handle = await shared.handle.catch(() => undefined);
    await handle?.close();
    shared.finish();
  }

  async function release(shared: Shared): Promise<void> {
    shared.users -= 1;
    if (shared.isLeft && shared.users === 0) await end(shared);
  }

  /** Nobody new gets this one; it is closed when its last user is done. */
  function leave(shared: Shared): void {
    if (shared.isLeft) return;
    shared.isLeft = true;
    if (current === shared) current = undefined;
    if (shared.users === 0) void end(shared);
  }

  const isOutlived = (error: unknown): boolean => outlived.some((code) => isAquiferError(error, code));

  return {
    async use(use) {
      for (let attempt = 1; ; attempt += 1) {
        const shared = take();
        let hasOpened = false;
        try {
          const handle = await shared.handle;
          hasOpened = true;
          return await use(handle);
        } catch (error) {
          if (!hasOpened || attempt === 2 || !isOutlived(error)) throw error;
          leave(shared);
        } finally {
          await release(shared);
        }
      }
    },
    async *iterate(use) {
      const shared = take();
      try {
        yield* use(await shared.handle);
      } catch (error) {
        if (isOutlived(error)) leave(shared);
        throw error;
      } finally {
        await release(shared);
      }
    },
    async close() {
      const shared = current;
      if (shared === undefined) return;
      leave(shared);
      await shared.done;
    },
  };
}
