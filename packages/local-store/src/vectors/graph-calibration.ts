import { inverseNorm } from './exact-cosine.js';
import type { HnswGraph } from './hnsw-graph.js';
import { largestEf } from './search-plan.js';
import type { VectorTable } from './vector-table.js';

export interface Calibration {
  readonly ef: number;
  /** Whether the graph finds as much as a scan. */
  readonly worthwhile: boolean;
}

const sampleSize = 48;
const neighbours = 10;
/** Above what is promised (0.99), because a sample of questions is not all of them. */
const wantedRecall = 0.996;
const smallestEf = 64;

/**
 * How much a graph must be asked to find what a scan finds depends on the vectors: on clustered ones ef 64 is plenty, on
 * vectors without structure 2,048 is not. So it is measured on the index itself: half of the sample are stored vectors,
 * half lie between two of them, as questions do.
 *
 * @param pause Called between scans, so that searches are answered meanwhile.
 */
export async function calibrate(
  graph: HnswGraph,
  table: VectorTable,
  pause: () => Promise<void>,
): Promise<Calibration> {
  const numbers = [...graph.numbers()].filter((number) => table.has(number));
  const samples: { readonly vector: Float32Array; readonly best: ReadonlySet<number> }[] = [];
  const wanted = Math.min(neighbours, numbers.length);
  for (let sample = 0; sample < Math.min(sampleSize, numbers.length); sample++) {
    const vector = questionLike(table, numbers, sample);
    if (vector === undefined) continue;
    const { numbers: found, scores, length } = table.nearest(vector, wanted);
    const order = Array.from({ length }, (_, index) => index)
      .filter((index) => graph.has(found[index] as number))
      .sort((left, right) => (scores[right] as number) - (scores[left] as number));
    samples.push({ vector, best: new Set(order.slice(0, wanted).map((index) => found[index] as number)) });
    await pause();
  }
  for (let ef = smallestEf; ef <= largestEf; ef *= 2) {
    let hits = 0;
    for (const { vector, best } of samples) {
      const found = graph.search(vector, ef, ef);
      hits += found.filter((number) => best.has(number)).length;
    }
    await pause();
    // Half as much again for questions that are harder than the sample.
    if (hits >= wantedRecall * wanted * samples.length) return { ef: Math.min(largestEf, ef * 1.5), worthwhile: true };
  }
  return { ef: largestEf, worthwhile: false };
}

/** Undefined when a vector that it is made of has gone. */
function questionLike(table: VectorTable, numbers: readonly number[], sample: number): Float32Array | undefined {
  // Steps of a golden ratio visit the vectors evenly, and the same ones each time.
  const at = (step: number): Float32Array | undefined => {
    const index = Math.floor(((step * 0.618_033_988_749_895) % 1) * numbers.length);
    return table.vector(numbers[index] as number);
  };
  const vector = at(sample + 1);
  if (vector === undefined || sample % 2 === 0) return vector;
  const other = at(sample + 0.5);
  if (other === undefined) return vector;
  const own = inverseNorm(vector);
  const others = inverseNorm(other);
  const between = vector.map((value, index) => 0.7 * value * own + 0.3 * (other[index] as number) * others);
  return between.some((value) => value !== 0) ? between : vector;
}
