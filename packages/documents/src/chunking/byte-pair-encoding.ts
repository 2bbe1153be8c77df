/** A byte-pair vocabulary: tokens as strings of bytes (one character a byte, U+0000 to U+00FF), and their ranks. */
export interface BytePairVocabulary {
  /** Token to rank. Every single byte has one. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Rank to token. Ranks may have gaps. */
  readonly tokens: readonly (string | undefined)[];
}

/** Pieces of more bytes than this are merged with a heap. Below it a linear search for the next merge is faster. */
const heapFrom = 96;
/** Scratch arrays that grew beyond this many bytes of text are not kept. */
const keptScratch = 1 << 16;
/** Slots of the direct-mapped cache of pairs: a pair that falls on a used slot replaces what was there. */
const pairSlots = 1 << 18;
const noMerge = 0x7fffffff;

/**
 * Counts the tokens that byte-pair encoding makes of a piece of text, without making them.
 *
 * Merging repeats: of all neighbouring pairs whose concatenation is a token, join the one of the lowest rank, the leftmost
 * of equals. (Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units"; in the form of
 * OpenAI's tiktoken, where a token's rank is its number.) Time is O(n log n) for a piece of n bytes, so one "word" of a
 * megabyte is no trap. What makes it fast is remembering which rank a pair of ranks has, instead of looking up bytes.
 */
export function createBytePairCounter({ ranks, tokens }: BytePairVocabulary): (piece: string) => number {
  const encoder = new TextEncoder();
  const byteRank = Int32Array.from({ length: 256 }, (_, byte) => ranks.get(String.fromCharCode(byte)) ?? noMerge);
  const slotLeft = new Int32Array(pairSlots).fill(-1);
  const slotRight = new Int32Array(pairSlots);
  const slotRank = new Int32Array(pairSlots);
  let scratch = createScratch(4096);

  /** The rank of the token that two tokens make together, or {@link noMerge}. */
  function pairRank(left: number, right: number): number {
    const slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 14;
    if (slotLeft[slot] === left && slotRight[slot] === right) return slotRank[slot]!;
    const rank = ranks.get(tokens[left]! + tokens[right]!) ?? noMerge;
    slotLeft[slot] = left;
    slotRight[slot] = right;
    slotRank[slot] = rank;
    return rank;
  }

  /** Pieces of ordinary length: an array of tokens and of the ranks that each would have with its right neighbour. */
  function countShort(length: number): number {
    const { token, merge } = scratch;
    let remaining = length;
    for (let index = 0; index + 1 < remaining; index += 1) merge[index] = pairRank(token[index]!, token[index + 1]!);
    for (;;) {
      let lowest = noMerge;
      let at = -1;
      for (let index = 0; index + 1 < remaining; index += 1) {
        if (merge[index]! < lowest) {
          lowest = merge[index]!;
          at = index;
        }
      }
      if (at < 0) return remaining;
      remaining -= 1;
      token[at] = lowest;
      for (let index = at + 1; index < remaining; index += 1) {
        token[index] = token[index + 1]!;
        merge[index] = merge[index + 1]!;
      }
      if (at > 0) merge[at - 1] = pairRank(token[at - 1]!, lowest);
      if (at + 1 < remaining) merge[at] = pairRank(lowest, token[at + 1]!);
    }
  }

  /** Long pieces: a linked list of tokens and a heap of merges, ordered by rank and position. Outdated entries are skipped. */
  function countLong(length: number): number {
    const { token, merge, next, previous, heap } = scratch;
    let size = 0;
    for (let index = 0; index < length; index += 1) {
      next[index] = index + 1;
      previous[index] = index - 1;
      merge[index] = index + 1 < length ? pairRank(token[index]!, token[index + 1]!) : noMerge;
      if (merge[index] !== noMerge) heap[size++] = merge[index]! * 0x40000000 + index;
    }
    for (let index = (size >> 1) - 1; index >= 0; index -= 1) siftDown(heap, size, index);
    let remaining = length;
    while (size > 0) {
      const entry = heap[0]!;
      size -= 1;
      heap[0] = heap[size]!;
      siftDown(heap, size, 0);
      const rank = Math.floor(entry / 0x40000000);
      const at = entry % 0x40000000;
      if (merge[at] !== rank) continue;
      const removed = next[at]!;
      const after = next[removed]!;
      token[at] = rank;
      merge[removed] = noMerge;
      next[at] = after;
      remaining -= 1;
      if (after < length) previous[after] = at;
      merge[at] = after < length ? pairRank(rank, token[after]!) : noMerge;
      if (merge[at] !== noMerge) siftUp(heap, size++, merge[at]! * 0x40000000 + at);
      const before = previous[at]!;
      if (before >= 0) {
        merge[before] = pairRank(token[before]!, rank);
        if (merge[before] !== noMerge) siftUp(heap, size++, merge[before]! * 0x40000000 + before);
      }
    }
    return remaining;
  }

  return (piece) => {
    if (piece.length * 3 > scratch.bytes.length) scratch = createScratch(piece.length * 3);
    const { bytes, token } = scratch;
    const length = encoder.encodeInto(piece, bytes).written;
    for (let index = 0; index < length; index += 1) token[index] = byteRank[bytes[index]!]!;
    const count = length < heapFrom ? countShort(length) : countLong(length);
    if (scratch.bytes.length > keptScratch) scratch = createScratch(4096);
    return count;
  };
}

function createScratch(bytes: number) {
  return {
    bytes: new Uint8Array(bytes),
    token: new Int32Array(bytes),
    merge: new Int32Array(bytes),
    next: new Int32Array(bytes),
    previous: new Int32Array(bytes),
    // At most one entry for each byte, and two more for each merge.
    heap: new Float64Array(bytes * 3),
  };
}

function siftDown(heap: Float64Array, size: number, from: number): void {
  const entry = heap[from]!;
  let parent = from;
  for (let child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child += 1;
    if (heap[child]! >= entry) break;
    heap[parent] = heap[child]!;
    parent = child;
  }
  heap[parent] = entry;
}

function siftUp(heap: Float64Array, from: number, entry: number): void {
  let child = from;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (heap[parent]! <= entry) break;
    heap[child] = heap[parent]!;
    child = parent;
  }
  heap[child] = entry;
}
