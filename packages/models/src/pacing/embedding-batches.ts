/** Cuts a list into batches of at most `maxItems` that weigh at most `maxWeight` together; what weighs more is alone. In order. */
export function inBatches<Item>(
  items: readonly Item[],
  maxItems: number,
  maxWeight: number,
  weightOf: (item: Item) => number,
): Item[][] {
  const batches: Item[][] = [];
  let weight = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const own = weightOf(item);
    const last = batches.at(-1);
    if (last !== undefined && last.length < maxItems && weight + own <= maxWeight) {
      last.push(item);
      weight += own;
    } else {
      batches.push([item]);
      weight = own;
    }
  }
  return batches;
}

/**
 * Tokens of each text of a request. Where the provider counts only the request, each text gets its share by estimate, whole numbers that
 * add up; where it does not count, the estimates.
 */
export function tokensOfEach(
  texts: readonly string[],
  counted: readonly number[] | number | undefined,
  estimate: (text: string) => number,
): number[] {
  if (typeof counted === 'object') return [...counted];
  if (texts.length === 1 && counted !== undefined) return [counted];
  const estimates = texts.map(estimate);
  if (counted === undefined) return estimates;
  const sum = estimates.reduce((total, tokens) => total + tokens, 0);
  let estimatedSoFar = 0;
  let givenSoFar = 0;
  return estimates.map((tokens) => {
    estimatedSoFar += tokens;
    const share = Math.round((counted * estimatedSoFar) / sum) - givenSoFar;
    givenSoFar += share;
    return share;
  });
}
