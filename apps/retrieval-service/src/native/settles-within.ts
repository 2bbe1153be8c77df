/** Whether a promise is settled, one way or the other, before so many milliseconds are over; 0 is the end of this turn of the event loop. */
export function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = () => resolve(false);
    const timer = ms > 0 ? setTimeout(giveUp, ms).unref() : undefined;
    if (timer === undefined) setImmediate(giveUp);
    const settled = () => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(settled, settled);
  });
}
