/**
 * Finds out how many requests a second a provider lets through, from which of them it throttled.
 *
 * Not every throttled request means that the quota is used up: providers throttle for reasons of their own, too, and a rate that
 * collapses on each of those leaves a good part of a quota unused. So the unit is not the request but the round, of a second or some requests.
 * A round of which half was throttled cuts the rate to what was let through. Otherwise the rate is the highest limit that the last rounds
 * do not speak against ({@link likelyLimit}), and grows while none is in sight.
 *
 * Source: Cardwell et al. 2016, "BBR: Congestion-Based Congestion Control": the rate of what is delivered says what a path carries,
 * losses alone do not. Chiu, Jain 1989, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance".
 */
export interface RateFinder {
  /** Requests a second at which to send now. Infinity while no limit has been met. */
  readonly perSecond: number;
  /** A request leaves. What comes back must be told how it ended. */
  sent(now: number): (wasThrottled: boolean, now: number) => void;
}

/** What was sent in a stretch of time. */
export interface Round {
  readonly perSecond: number;
  /** Requests whose end is known. */
  readonly ended: number;
  readonly throttled: number;
}

const roundMs = 1000;
const requestsPerRound = 20;
const roundsKept = 60;
/** One request in twenty seconds: slow enough for the smallest quotas. */
const slowestPerSecond = 0.05;
/** Requests whose ends tell, while there is no rate yet, whether throttling comes in a cluster. */
const clusterOf = 20;
/** How much the rate grows a round while no limit is in sight: more each time, until it is met again. */
const growth = { first: 0.01, factor: 1.5, most: 0.1 };
/** Where some requests are throttled at any rate, every few rounds are sent slower: only the difference says where the limit is. */
const slowRound = { every: 8, share: 0.92, fromThrottled: 0.03 };

/** @param quotaPerSecond What the provider is known to allow: the rate to begin with, and never more. Undefined: to be found. */
export function createRateFinder(quotaPerSecond: number | undefined): RateFinder {
  let rate = quotaPerSecond ?? Number.POSITIVE_INFINITY;
  let perSecond = rate;
  let step = growth.first;
  let roundNumber = 0;
  let rounds: OpenRound[] = [];
  let current: OpenRound | undefined;
  let lastEnds: boolean[] = [];

  const cutTo = (round: OpenRound): void => {
    const letThrough = (round.ended - round.throttled) / round.seconds;
    rate = Math.max(slowestPerSecond, letThrough > 0 ? Math.min(rate, letThrough) : rate / 2);
    step = growth.first;
    rounds = [];
  };

  const decide = (last: OpenRound): void => {
    if (last.ended >= clusterOf / 4 && last.throttled * 2 >= last.ended) {
      cutTo(last);
      return;
    }
    rounds.push(last);
    if (rounds.length > roundsKept) rounds.shift();
    const fastest = Math.max(...rounds.map((round) => round.perSecond));
    const limit = likelyLimit(rounds);
    if (limit < fastest) {
      rate = limit;
      step = growth.first;
    } else if (last.perSecond > 0.9 * perSecond) {
      rate *= 1 + step;
      step = Math.min(growth.most, step * growth.factor);
    }
    rate = Math.max(slowestPerSecond, Math.min(rate, quotaPerSecond ?? Number.POSITIVE_INFINITY));
  };

  const beginRound = (now: number): OpenRound => {
    roundNumber += 1;
    const ended = rounds.reduce((sum, round) => sum + round.ended, 0);
    const throttled = rounds.reduce((sum, round) => sum + round.throttled, 0);
    const isSlow = throttled > slowRound.fromThrottled * ended && roundNumber % slowRound.every === 0;
    perSecond = isSlow ? rate * slowRound.share : rate;
    return { startedAt: now, sent: 0, ended: 0, throttled: 0, seconds: 0, perSecond: 0 };
  };

  return {
    get perSecond() {
      return perSecond;
    },
    sent(now) {
      if (current !== undefined && rate !== Number.POSITIVE_INFINITY) {
        const ms = now - current.startedAt;
        if (ms >= Math.max(roundMs, (requestsPerRound / rate) * 1000)) {
          current.seconds = ms / 1000;
          current.perSecond = current.sent / current.seconds;
          decide(current);
          current = undefined;
        }
      }
      current ??= beginRound(now);
      const round = current;
      round.sent += 1;
      return (wasThrottled, endedAt) => {
        round.ended += 1;
        if (wasThrottled) round.throttled += 1;
        if (rate !== Number.POSITIVE_INFINITY) return;
        lastEnds = [...lastEnds.slice(1 - clusterOf), wasThrottled];
        if (lastEnds.filter(Boolean).length * 2 < clusterOf) return;
        // No rate yet: everything since the beginning is one round, of a second at least, which is what a first burst is worth.
        round.seconds = Math.max(1, (endedAt - round.startedAt) / 1000);
        rate = Number.MAX_VALUE;
        cutTo(round);
        perSecond = rate;
        current = undefined;
      };
    },
  };
}

interface OpenRound extends Round {
  readonly startedAt: number;
  sent: number;
  ended: number;
  throttled: number;
  seconds: number;
  perSecond: number;
}

/** How much less likely than the best a limit may be and still be tried, as a difference of log-likelihoods: one standard deviation. */
const doubt = 0.5;

/**
 * The highest number of requests a second that the rounds do not speak against, up to the fastest of them.
 *
 * The model: of a round at rate s, a share of q · min(1, limit / s) is let through, where q is what is let through at any rate. For each limit
 * the likeliest q is that of all rounds together (Poisson), and what is left is compared.
 */
export function likelyLimit(rounds: readonly Round[]): number {
  const fastest = Math.max(...rounds.map((round) => round.perSecond));
  let best = Number.NEGATIVE_INFINITY;
  let chosen = fastest;
  for (let limit = fastest * 0.5; limit <= fastest * 1.0001; limit += fastest * 0.005) {
    const likelihood = logLikelihood(rounds, limit);
    if (likelihood >= best - doubt) chosen = limit;
    best = Math.max(best, likelihood);
  }
  return chosen;
}

function logLikelihood(rounds: readonly Round[], limit: number): number {
  let letThrough = 0;
  let admissible = 0;
  for (const { perSecond, ended, throttled } of rounds) {
    letThrough += ended - throttled;
    admissible += ended * Math.min(1, limit / perSecond);
  }
  const always = Math.min(1, letThrough / admissible);
  let sum = 0;
  for (const { perSecond, ended, throttled } of rounds) {
    const share = Math.min(1 - 1e-6, always * Math.min(1, limit / perSecond));
    sum += (ended - throttled) * Math.log(share) + throttled * Math.log(1 - share);
  }
  return sum;
}
