import { likelyLimit, type Round } from './likely-limit.js';

/**
 * Finds out how many requests a second a provider lets through, from which of them it throttled.
 *
 * Not every throttled request means that the quota is used up: providers throttle for reasons of their own, too, and a rate that
 * collapses on each of those leaves a good part of a quota unused. So the unit is not the request but the round, of a second or some requests.
 * A round of which half was throttled cuts the rate to what was let through. Otherwise the rate is the limit that explains the last rounds
 * ({@link likelyLimit}), and grows while there is none in sight.
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

const roundMs = 1000;
const longestRoundMs = 10_000;
const requestsPerRound = 20;
const requestsPerSearch = 10;
const roundsKept = 60;
const roundsWithCut = 8;
/** Of the last good rate, while nothing is let through: enough to notice soon that it is over. */
const slowestShare = 1 / 64;
/** Requests whose ends tell, while there is no rate yet, whether throttling comes in a cluster. */
const clusterOf = 20;
/** How much the rate grows a round: as in TCP's slow start until the limit has been met once, then little, and more each time. */
const growth = { unknown: 1, first: 0.01, factor: 1.5, most: 0.25 };
/**
 * Every few rounds one is sent a little faster, or a limit that was seen by mistake would never be left; and where some requests are throttled at
 * any rate one is sent slower, and the more so the more are throttled: only the difference says where the limit is.
 */
const probes = { every: 8, fast: 1.08, slowFrom: 0.03, slowLeast: 0.05, slowOf: 0.6 };
/** A round is judged when most of its answers are there, or after this. */
const longestWaitMs = 10_000;

/** @param quotaPerSecond What the provider is known to allow: the rate to begin with, and never more. Undefined: to be found. */
export function createRateFinder(quotaPerSecond: number | undefined): RateFinder {
  const most = quotaPerSecond ?? Number.POSITIVE_INFINITY;
  let rate = most;
  let step = growth.unknown;
  let lastGood = quotaPerSecond ?? 1;
  let isNothing = false;
  let cut: OpenRound | undefined;
  let roundNumber = 0;
  let current: OpenRound | undefined;
  /** While there is no rate. */
  let previous: OpenRound | undefined;
  /** Rounds of which answers are still missing, oldest first. */
  const awaited: OpenRound[] = [];
  let rounds: OpenRound[] = [];
  let lastEnds: boolean[] = [];

  /** To what was let through of a round, which is a good guess until there are more. */
  const cutTo = (round: OpenRound): void => {
    rate = Math.min(rate, round.perSecond * (1 - throttledShare([round])));
    lastGood = rate;
    rounds = [round];
    cut = round;
    step = growth.first;
  };

  /** The first limit that is met. What was sent lately is one round, of a second at least, which is what a first burst is worth. */
  const beginSearch = (sent: readonly OpenRound[], now: number): void => {
    const recent = sent.filter(({ startedAt }) => now - startedAt < 3 * roundMs);
    const share = throttledShare(recent);
    if (share === 1 || recent.length === 0) return;
    const seconds = Math.max(1, (now - recent[0]!.startedAt) / 1000);
    rate = (recent.reduce((sum, round) => sum + round.sent, 0) / seconds) * (1 - share);
    lastGood = rate;
    current = undefined;
  };

  /** Where nothing is let through there is nothing to go by: asks more and more slowly, and searches anew when it is over. */
  const slowDown = (): void => {
    rate = Math.max(lastGood * slowestShare, rate / 2);
    rounds = [];
    step = growth.unknown;
  };

  const judge = (last: OpenRound): void => {
    const share = throttledShare([last]);
    const wasNothing = isNothing;
    isNothing = share === 1;
    if (isNothing) {
      // A provider that counts by the second lets nothing through at its end; two rounds of nothing are more than that.
      if (wasNothing) slowDown();
      return;
    }
    const usual = Math.min(0.5, throttledShare(rounds));
    if (last.ended >= clusterOf / 2 && share >= 0.5 && share - usual >= 0.25) {
      cutTo(last);
      return;
    }
    rounds.push(last);
    // A round that was cut was out of the ordinary: it is soon worth less than those that followed.
    if (rounds.length > (rounds[0] === cut ? roundsWithCut : roundsKept)) rounds.shift();
    const fastest = Math.max(...rounds.map((round) => round.perSecond));
    const limit = likelyLimit(rounds);
    if (limit < fastest) {
      rate = limit;
      lastGood = limit;
      step = growth.first;
    } else if (last.perSecond > 0.9 * last.wanted) {
      rate = Math.max(rate, last.wanted * (1 + step));
      if (step < growth.unknown) step = Math.min(growth.most, step * growth.factor);
    }
    rate = Math.min(rate, most);
  };

  const isOver = (round: OpenRound, now: number): boolean => {
    const isSearching = step === growth.unknown;
    const requests = isSearching ? requestsPerSearch : requestsPerRound;
    const shortest = isSearching ? roundMs / 2 : roundMs;
    return now - round.startedAt >= Math.min(longestRoundMs, Math.max(shortest, (requests / rate) * 1000));
  };

  const endRound = (round: OpenRound, now: number): void => {
    round.perSecond = round.sent / ((now - round.startedAt) / 1000);
    awaited.push(round);
    for (let next = awaited[0]; next !== undefined; next = awaited[0]) {
      if (next.ended < next.sent * 0.9 && now - next.startedAt < longestWaitMs) break;
      awaited.shift();
      if (next.ended > 0) judge(next);
    }
  };

  const beginRound = (now: number): OpenRound => {
    roundNumber += 1;
    const throttled = throttledShare(rounds);
    const turn = roundNumber % probes.every;
    let wanted = rate;
    if (turn === 0 && throttled > probes.slowFrom)
      wanted = rate * (1 - Math.max(probes.slowLeast, throttled * probes.slowOf));
    if (turn === probes.every / 2 && step < growth.unknown) wanted = Math.min(most, rate * probes.fast);
    return { startedAt: now, wanted, sent: 0, ended: 0, throttled: 0, perSecond: 0 };
  };

  return {
    get perSecond() {
      // A cut holds at once, a probe to its end.
      return Math.min(rate * probes.fast, current?.wanted ?? rate);
    },
    sent(now) {
      if (current !== undefined && isOver(current, now)) {
        if (rate === Number.POSITIVE_INFINITY) previous = current;
        else endRound(current, now);
        current = undefined;
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
        beginSearch(previous === undefined ? [round] : [previous, round], endedAt);
        current = undefined;
      };
    },
  };
}

function throttledShare(rounds: readonly Round[]): number {
  const ended = rounds.reduce((sum, round) => sum + round.ended, 0);
  return ended === 0 ? 0 : rounds.reduce((sum, round) => sum + round.throttled, 0) / ended;
}

interface OpenRound extends Round {
  readonly startedAt: number;
  /** Requests a second that it was meant to have. */
  readonly wanted: number;
  sent: number;
  ended: number;
  throttled: number;
  perSecond: number;
}
