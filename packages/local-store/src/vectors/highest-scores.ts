/** Keeps the `limit` highest of the numbers given to it, in a heap. */
export interface HighestScores {
  add(score: number): void;
  /** The lowest of those kept; minus infinity while there are fewer than `limit`. */
  lowest(): number;
}

export function createHighestScores(limit: number): HighestScores {
  const heap = new Float64Array(limit);
  let length = 0;
  let lowest = Number.NEGATIVE_INFINITY;
  return {
    lowest: () => lowest,
    add(score) {
      if (length < limit) {
        heap[length++] = score;
        // A sorted array is a heap.
        if (length === limit) lowest = heap.sort()[0] as number;
        return;
      }
      if (score <= lowest) return;
      let hole = 0;
      for (;;) {
        let child = 2 * hole + 1;
        if (child >= limit) break;
        if (child + 1 < limit && (heap[child + 1] as number) < (heap[child] as number)) child++;
        if ((heap[child] as number) >= score) break;
        heap[hole] = heap[child] as number;
        hole = child;
      }
      heap[hole] = score;
      lowest = heap[0] as number;
    },
  };
}
