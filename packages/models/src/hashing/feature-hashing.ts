/** Each block of this many dimensions gets an equal share of every feature, so that a prefix of blocks is a vector of its own. */
export const blockSize = 256;
/** The last dimensions of a block are no feature's: see {@link addBallast}. */
const ballastSlots = 8;
const featureSlots = blockSize - ballastSlots;

/** A sparse vector: the value at each of a few dimensions. */
export interface SparseVector {
  readonly dimensions: Uint16Array;
  readonly values: Float32Array;
}

/** 32 bits of `text.slice(start, end)` (FNV-1a over UTF-16 units, then the finaliser of MurmurHash3). */
export function hashText(text: string, start: number, end: number, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixed(hash);
}

/** Every bit of the result depends on every bit of `value`. */
export function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Features gathered into a sparse vector over some blocks. */
export interface FeatureList {
  /**
   * Adds the feature of this hash, of length `weight` in the longest vector. It becomes `rounds` signed entries in every block: signs
   * make what collides cancel out on average (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning").
   */
  add(hash: number, weight: number, rounds: number): void;
  clear(): void;
  copy(): SparseVector;
  /** Adds the features to a dense vector. */
  addTo(target: Float64Array, scale: number): void;
}

const initialEntries = 1_024;

export function createFeatureList(blocks: number): FeatureList {
  let dimensions = new Uint16Array(initialEntries);
  let values = new Float32Array(initialEntries);
  let count = 0;

  function grow(): void {
    const wider = new Uint16Array(dimensions.length * 2);
    wider.set(dimensions);
    dimensions = wider;
    const longer = new Float32Array(values.length * 2);
    longer.set(values);
    values = longer;
  }

  return {
    add(hash, weight, rounds) {
      while (count + rounds * blocks > dimensions.length) grow();
      // The same share of a block whatever the number of blocks.
      const share = weight / Math.sqrt(4 * rounds);
      // Rounds have slots of their own, so that a feature alone never cancels itself out.
      const slots = Math.floor(featureSlots / rounds);
      let state = hash;
      for (let round = 0; round < rounds; round++) {
        state = mixed(state + 0x9e3779b9);
        const signs = mixed(state ^ 0x5bd1e995);
        // The state has a byte for each of four blocks; those behind them have a state of their own.
        const further = blocks > 4 ? mixed(state ^ 0x27d4eb2f) : 0;
        for (let block = 0; block < blocks; block++) {
          const bits = block < 4 ? state >>> (8 * block) : further >>> (8 * (block - 4));
          const slot = ((bits & 0xff) * slots) >>> 8;
          dimensions[count] = block * blockSize + round * slots + slot;
          values[count] = (signs >>> block) & 1 ? share : -share;
          count++;
        }
      }
    },
    clear() {
      count = 0;
    },
    copy: () => ({ dimensions: dimensions.slice(0, count), values: values.slice(0, count) }),
    addTo(target, scale) {
      for (let index = 0; index < count; index++) target[dimensions[index]!]! += values[index]! * scale;
    },
  };
}

/** Adds a sparse vector to a dense one. */
export function addScaled(target: Float64Array, { dimensions, values }: SparseVector, scale: number): void {
  for (let index = 0; index < dimensions.length; index++) {
    target[dimensions[index]!]! += values[index]! * scale;
  }
}

/** Adds a length of `weight` in dimensions that no feature uses, chosen by `hash`. */
export function addBallast(target: Float64Array, hash: number, weight: number): void {
  const blocks = target.length / blockSize;
  const share = weight / 2;
  for (let block = 0; block < blocks; block++) {
    const bits = mixed(hash + block);
    target[block * blockSize + featureSlots + (bits & (ballastSlots - 1))]! += bits & 0x100 ? share : -share;
  }
}
