/** Values that were asked for last, up to so many bytes of them. */
export interface RecentlyUsed<Key, Value> {
  get(key: Key): Value | undefined;
  /** Whether it is kept, without its being used by that. */
  has(key: Key): boolean;
  size(): number;
  set(key: Key, value: Value): void;
  clear(): void;
}

/**
 * Keeps what costs more to ask the database for than to hold: a search that comes again, or shares words with another, finds it here.
 *
 * @param budgetBytes What all values may take. One that is larger by itself is not kept.
 */
export function createRecentlyUsed<Key, Value>(
  budgetBytes: number,
  bytesOf: (value: Value) => number,
): RecentlyUsed<Key, Value> {
  // A Map remembers in which order its keys were set.
  const values = new Map<Key, Value>();
  let bytes = 0;
  return {
    get(key) {
      const value = values.get(key);
      if (value === undefined) return undefined;
      values.delete(key);
      values.set(key, value);
      return value;
    },
    has: (key) => values.has(key),
    size: () => values.size,
    set(key, value) {
      const before = values.get(key);
      if (before !== undefined) {
        values.delete(key);
        bytes -= bytesOf(before);
      }
      const added = bytesOf(value);
      if (added > budgetBytes) return;
      values.set(key, value);
      bytes += added;
      for (const [oldest, held] of values) {
        if (bytes <= budgetBytes) break;
        values.delete(oldest);
        bytes -= bytesOf(held);
      }
    },
    clear() {
      values.clear();
      bytes = 0;
    },
  };
}
