/**
 * Waits for `work` with a timer that keeps the process alive.
 *
 * Node drops its reference to a worker thread when the thread stops, before it says so, and `ref()` does not bring it back.
 * A process that waits for `terminate()` alone may find nothing left to wait for, and end there with status 13.
 *
 * @example
 * await keepingProcessAlive(() => worker.terminate());
 */
export async function keepingProcessAlive<Result>(work: () => Promise<Result>): Promise<Result> {
  const timer = setInterval(() => {}, 1_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
