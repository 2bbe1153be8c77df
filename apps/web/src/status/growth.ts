/** Most bars of a chart. */
const mostSteps = 40;

/**
 * How many chunks the documents that are in the index have by some moments, evenly between the first and the last of them.
 */
export function growth(
  documents: readonly { readonly indexedAt: number; readonly chunkCount: number }[],
): { readonly at: number; readonly chunks: number }[] {
  const sorted = documents
    .filter(({ chunkCount }) => chunkCount > 0)
    .sort((one, other) => one.indexedAt - other.indexedAt);
  if (sorted.length === 0) return [];
  const first = sorted[0]!.indexedAt;
  const last = sorted.at(-1)!.indexedAt;
  const steps = last === first ? 1 : Math.min(mostSteps, sorted.length);
  return Array.from({ length: steps }, (_, step) => {
    const at = steps === 1 ? last : first + ((last - first) * step) / (steps - 1);
    const until = sorted.filter(({ indexedAt }) => indexedAt <= at);
    return { at, chunks: until.reduce((sum, { chunkCount }) => sum + chunkCount, 0) };
  });
}
