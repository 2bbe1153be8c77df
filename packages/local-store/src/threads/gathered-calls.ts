/** What came of one of several calls. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

export function outcomeOf<Value>(work: () => Value): Outcome<Value> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/**
 * Calls that have come by the time that one of them would begin run together: at most `most` of them in a turn of the event loop, so that other calls and
 * cancellations have theirs.
 */
export function gatherCalls<Argument, Value>(
  most: number,
  run: (calls: readonly Argument[]) => Outcome<Value>[],
): (argument: Argument) => Promise<Value> {
  const waiting: { readonly argument: Argument; resolve(value: Value): void; reject(error: unknown): void }[] = [];
  const runSome = (): void => {
    const calls = waiting.splice(0, most);
    if (waiting.length > 0) setImmediate(runSome);
    const outcomes = outcomeOf(() => run(calls.map(({ argument }) => argument)));
    for (const [index, { resolve, reject }] of calls.entries()) {
      const outcome = 'error' in outcomes ? outcomes : (outcomes.value[index] as Outcome<Value>);
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.value);
    }
  };
  return (argument) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(runSome);
      waiting.push({ argument, resolve, reject });
    });
}
