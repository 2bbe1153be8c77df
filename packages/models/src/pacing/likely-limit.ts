/** What was sent in a stretch of time. */
export interface Round {
  readonly perSecond: number;
  /** Requests whose end is known. */
  readonly ended: number;
  readonly throttled: number;
}

/** By how much a limit must explain the rounds better than none, as a difference of log-likelihoods: two standard deviations. */
const evidence = 2;
/** How much less likely than the best a limit may be and still be tried: too high shows soon, too low only when it is tried. */
const doubt = 0.3;

/**
 * The highest number of requests a second that a limit below the fastest of the rounds would explain them by best; the fastest where they give no
 * reason to think that there is one.
 *
 * The model: of a round at rate s, a share of q · min(1, limit / s) is let through, where q is what is let through at any rate. For each limit
 * the likeliest q is that of all rounds together (Poisson), and what is left is compared.
 */
export function likelyLimit(rounds: readonly Round[]): number {
  const fastest = Math.max(...rounds.map((round) => round.perSecond));
  const without = logLikelihood(rounds, fastest);
  const limits = Array.from({ length: 140 }, (_, step) => fastest * (0.3 + step * 0.005));
  const likelihoods = limits.map((limit) => logLikelihood(rounds, limit));
  const best = Math.max(...likelihoods);
  if (best - without <= evidence) return fastest;
  return limits[likelihoods.findLastIndex((likelihood) => likelihood >= best - doubt)]!;
}

function logLikelihood(rounds: readonly Round[], limit: number): number {
  let letThrough = 0;
  let admissible = 0;
  for (const { perSecond, ended, throttled } of rounds) {
    letThrough += ended - throttled;
    admissible += ended * Math.min(1, limit / perSecond);
  }
  const always = Math.min(1, Math.max(1e-6, letThrough / admissible));
  let sum = 0;
  for (const { perSecond, ended, throttled } of rounds) {
    const share = Math.min(1 - 1e-6, always * Math.min(1, limit / perSecond));
    sum += (ended - throttled) * Math.log(share) + throttled * Math.log(1 - share);
  }
  return sum;
}
