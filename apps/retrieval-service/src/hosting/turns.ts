/** One after another, in the order in which they asked; one that fails does not stop the next. */
export function createTurns(): <Result>(use: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (use) => {
    const turn = last.then(use, use);
    last = turn.catch(() => {});
    return turn;
  };
}
