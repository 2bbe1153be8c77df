/** A reproducible source of numbers for tests. */
export interface SeededRandom {
  /** Uniform, 0 up to but not including 1. */
  next(): number;
  /** Uniform whole number, 0 up to but not including `below`. */
  below(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Normally distributed, mean 0, deviation 1. */
  gaussian(): number;
}

/** Mulberry32, by Tommy Ettinger: a 32-bit state, good enough for test data. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('There is nothing to pick from.');
      return items[below(items.length)] as (typeof items)[number];
    },
    // Box and Muller 1958.
    gaussian: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}
