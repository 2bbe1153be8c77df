import { AquiferError, describeError, isAquiferError, type SharedQuota, throwIfAborted } from '@aquifer/contracts';
import PQueue from 'p-queue';
import { backoffMs } from './backoff.js';
import { type Clock, systemClock, wait } from './clock.js';
import { createQuotaGate } from './quota-gate.js';
import { createRateFinder } from './rate-finder.js';
import { createTurnstile } from './turnstile.js';

export interface PacerOptions {
  /** What is asked, for messages: `amazon.titan-embed-text-v2:0 in us-east-1`. */
  readonly name: string;
  /** What the provider allows. Default: unknown, and found out when it throttles. */
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /**
   * Who keeps count of a quota that other processes use as well, and its name there. Only of a quota that is known: where it is found out, each process
   * finds its own part.
   */
  readonly shared?: { readonly quota: SharedQuota; readonly key: string } | undefined;
  /** Most requests under way at once. Default 64. */
  readonly concurrency?: number;
  /** How long one request may take from when it first leaves, tries and waiting between them included. Default 120,000. */
  readonly deadlineMs?: number;
  /**
   * How long failures other than throttling are borne with, while no other answer comes. Default: `deadlineMs`, and 30,000 where that was not
   * said either: what does not answer is more likely wrong than busy, unless somebody wants it to be tried for longer.
   */
  readonly outageMs?: number;
  /** Time and chance, for tests. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface PacedRequest<Value> {
  /** An estimate of what the provider will count; corrected by what the attempt says. */
  readonly tokens: number;
  readonly signal?: AbortSignal;
  /** Asks once. Its signal fires when the caller cancels and at the deadline. For a stream: until the stream has opened. */
  readonly attempt: (signal: AbortSignal) => Promise<{ readonly value: Value; readonly tokens?: number }>;
}

/** The only place that waits for quotas and tries again: what it calls must not do so itself. */
export interface Pacer {
  /**
   * Runs a request as soon as the provider's limits allow, older requests first, and again when it fails with an error that says
   * `retryable`, until the deadline. Any other error comes through untouched, after exactly one request. Waiting in line for the first try
   * has no limit but the caller's signal: that is the quota at work.
   *
   * @throws what the last attempt threw; `aborted`; `model-unavailable` where no answer came until the deadline.
   *
   * @example
   * const pacer = createPacer({ name: 'titan', requestsPerMinute: 2000 });
   * const answer = await pacer.run({ tokens: 120, signal, attempt: async (signal) => ({ value: await ask(signal) }) });
   */
  run<Value>(request: PacedRequest<Value>): Promise<Value>;
}

const defaultDeadlineMs = 120_000;
const defaultOutageMs = 30_000;
const defaultConcurrency = 64;
/** Where the provider's limit is unknown, requests under way at first; one more with each answer, as in TCP's slow start. */
const firstConcurrency = 8;

export function createPacer(options: PacerOptions): Pacer {
  const { name, requestsPerMinute, tokensPerMinute, clock = systemClock, random = Math.random } = options;
  const { deadlineMs = defaultDeadlineMs, concurrency = defaultConcurrency } = options;
  const { outageMs = options.deadlineMs ?? defaultOutageMs } = options;
  for (const [key, value] of Object.entries({
    requestsPerMinute,
    tokensPerMinute,
    deadlineMs,
    outageMs,
    concurrency,
  })) {
    if (value !== undefined && !(value > 0)) {
      throw new AquiferError('invalid-options', `${key} for ${name} must be more than 0, not ${value}.`);
    }
  }
  const rateFinder = createRateFinder(requestsPerMinute === undefined ? undefined : requestsPerMinute / 60);
  const turnstile = createTurnstile(clock, {
    requestsPerSecond: rateFinder.perSecond,
    tokensPerSecond: (tokensPerMinute ?? Number.POSITIVE_INFINITY) / 60,
  });
  const queue = new PQueue({
    concurrency: requestsPerMinute === undefined ? Math.min(firstConcurrency, concurrency) : concurrency,
  });
  const isKnown = requestsPerMinute !== undefined || tokensPerMinute !== undefined;
  const gate =
    options.shared && isKnown
      ? createQuotaGate(clock, {
          ...options.shared,
          requestsPerSecond: (requestsPerMinute ?? Number.POSITIVE_INFINITY) / 60,
          tokensPerSecond: (tokensPerMinute ?? Number.POSITIVE_INFINITY) / 60,
        })
      : undefined;
  const correctTokens = (unused: number): void => {
    turnstile.correctTokens(unused);
    gate?.correctTokens(unused);
  };
  let turns = 0;

  async function tryOnce<Value>(request: PacedRequest<Value>, scope: RequestScope): Promise<Value> {
    await turnstile.pass(request.tokens, scope.signal);
    await gate?.pass(request.tokens, scope.signal);
    scope.begin();
    const end = rateFinder.sent(clock.now());
    turnstile.setRequestRate(rateFinder.perSecond);
    try {
      const { value, tokens = request.tokens } = await request.attempt(scope.signal);
      correctTokens(request.tokens - tokens);
      end(false, clock.now());
      if (queue.concurrency < concurrency) queue.concurrency += 1;
      return value;
    } catch (error) {
      // Nobody counts the tokens of a request that was turned away.
      correctTokens(request.tokens);
      end(isAquiferError(error, 'model-throttled'), clock.now());
      throw error;
    } finally {
      turnstile.setRequestRate(rateFinder.perSecond);
    }
  }

  return {
    async run(request) {
      throwIfAborted(request.signal);
      turns += 1;
      const priority = -turns;
      const scope = createRequestScope(clock, deadlineMs, request.signal);
      let lastError: AquiferError | undefined;
      /** Since when nothing but outages has come back. */
      let outageFromMs: number | undefined;
      try {
        for (let failures = 1; ; failures++) {
          const beganMs = scope.elapsedMs();
          try {
            return await queue.add(() => tryOnce(request, scope), { priority, signal: scope.signal });
          } catch (error) {
            if (scope.signal.aborted || !isAquiferError(error) || !error.retryable) throw error;
            lastError = error;
          }
          const ms = backoffMs(failures, lastError.retryAfterMs, random);
          const elapsedMs = scope.elapsedMs();
          outageFromMs = lastError.code === 'model-throttled' ? undefined : (outageFromMs ?? beganMs);
          const isOut = outageFromMs !== undefined && elapsedMs + ms - outageFromMs > outageMs;
          if (elapsedMs + ms > deadlineMs || isOut) {
            throw givenUp(lastError, failures, elapsedMs);
          }
          await wait(clock, ms, scope.signal);
        }
      } catch (error) {
        throwIfAborted(request.signal);
        if (!scope.signal.aborted) throw error;
        throw lastError === undefined
          ? new AquiferError('model-unavailable', `${name} gave no answer within ${inSeconds(deadlineMs)}.`, {
              retryable: true,
              cause: error,
            })
          : givenUp(lastError, undefined, deadlineMs);
      } finally {
        scope.end();
      }
    },
  };
}

/** The provider's own error, and how long it was borne with. */
function givenUp(error: AquiferError, tries: number | undefined, afterMs: number): AquiferError {
  const { code, retryable, retryAfterMs, message } = error;
  const often = tries === undefined || tries === 1 ? '' : `${tries} tries in `;
  return describeError(error, {
    code,
    retryable,
    retryAfterMs,
    message: `${message} (Given up after ${often}${inSeconds(afterMs)}.)`,
  });
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

interface RequestScope {
  /** Fires when the caller's does and at the deadline. */
  readonly signal: AbortSignal;
  /** The first try leaves: from here on the deadline counts. */
  begin(): void;
  elapsedMs(): number;
  end(): void;
}

/** Not `AbortSignal.any`, which keeps every signal that it made alive in some versions of Node. */
function createRequestScope(clock: Clock, deadlineMs: number, outer: AbortSignal | undefined): RequestScope {
  const controller = new AbortController();
  const stop = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', stop, { once: true });
  let beganAt: number | undefined;
  let cancelDeadline: (() => void) | undefined;
  return {
    signal: controller.signal,
    begin() {
      if (beganAt !== undefined) return;
      beganAt = clock.now();
      cancelDeadline = clock.after(deadlineMs, () => controller.abort());
    },
    elapsedMs: () => (beganAt === undefined ? 0 : clock.now() - beganAt),
    end() {
      cancelDeadline?.();
      outer?.removeEventListener('abort', stop);
    },
  };
}
