import { errorFrame, type WireError, type WireErrorName, WireException, wireErrorNames } from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';

/** Trouble made on purpose. */
export interface Faults {
  /** More are throttled. A second's worth may come at once. Counted per key and model, as Bedrock does. */
  readonly requestsPerSecond?: number;
  /** Before every answer. */
  readonly latencyMs?: number;
  /** Share of requests, 0 to 1, that fail with each of these. */
  readonly errors: readonly { readonly name: WireErrorName; readonly rate: number }[];
  /** The error that a stream ends with after so many events. */
  readonly exception?: { readonly name: WireErrorName; readonly events: number };
  /** After so many events, a stream's connection breaks off. */
  readonly cutAfter?: number;
}

const grammar =
  'throttle=<requests a second>, latency=<ms>, error=<name>[:<share>], exception=<name>[:<after so many events>], cut[=<after so many events>], with commas between';
const defaultEvents = 2;
const arrivalMs = 50;

/**
 * Faults as text, in the configuration or in a header of one request: `throttle=50, error=ThrottlingException:0.1, error=InternalServerException:0.02`.
 *
 * @throws `invalid-options`, naming what was not understood.
 */
export function parseFaults(text: string): Faults {
  const errors: { name: WireErrorName; rate: number }[] = [];
  let faults: Omit<Faults, 'errors'> = {};
  for (const item of text.split(',').map((each) => each.trim())) {
    if (item === '') continue;
    const [, kind, value = '', detail] = /^([a-z]+)(?:=([^:]*)(?::(.*))?)?$/i.exec(item) ?? [];
    const number = (given: string | undefined, fallback?: number, most = Number.POSITIVE_INFINITY): number => {
      const parsed = given === undefined || given === '' ? fallback : Number(given);
      if (parsed !== undefined && parsed >= 0 && parsed <= most) return parsed;
      throw notUnderstood(item);
    };
    const name = (): WireErrorName => {
      const known = wireErrorNames.find((each) => each === value);
      if (known) return known;
      throw notUnderstood(item, ` Names: ${wireErrorNames.join(', ')}.`);
    };
    switch (kind) {
      case 'throttle':
        faults = { ...faults, requestsPerSecond: number(value) };
        break;
      case 'latency':
        faults = { ...faults, latencyMs: number(value, undefined, 600_000) };
        break;
      case 'error':
        errors.push({ name: name(), rate: number(detail, 1, 1) });
        break;
      case 'exception':
        faults = { ...faults, exception: { name: name(), events: number(detail, defaultEvents) } };
        break;
      case 'cut':
        faults = { ...faults, cutAfter: number(value, defaultEvents) };
        break;
      default:
        throw notUnderstood(item);
    }
  }
  return { ...faults, errors };
}

function notUnderstood(item: string, more = ''): AquiferError {
  return new AquiferError('invalid-options', `A fault "${item}" is not understood: they are ${grammar}.${more}`);
}

const messages: Partial<Record<WireErrorName, string>> = {
  AccessDeniedException: "You don't have access to the model with the specified model ID.",
  InternalServerException: 'The server encountered an error processing your request.',
  ModelNotReadyException: 'Model is not ready for inference. Wait and try your request again.',
  ModelTimeoutException: 'Model has timed out in processing the request. Try your request again.',
  ServiceUnavailableException: 'Bedrock is unable to process your request.',
  ThrottlingException: 'Too many requests, please wait before trying again.',
};

function injected(name: WireErrorName): WireError {
  return { name, message: messages[name] ?? 'This error was asked for.' };
}

export interface FaultInjector {
  /**
   * Waits, and throws what is asked for.
   *
   * @param scope What requests are counted by, such as key and model.
   */
  before(faults: Faults, scope: string, signal: AbortSignal): Promise<void>;
  /** The stream, with what is asked for in its middle. Throws where the connection is to break off. */
  within(faults: Faults, frames: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

export interface FaultInjectorOptions {
  /** Numbers from 0 to 1. */
  readonly random?: () => number;
  /** Milliseconds. */
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

const mostBuckets = 10_000;

export function createFaultInjector(options: FaultInjectorOptions = {}): FaultInjector {
  const { random = Math.random, now = () => performance.now() } = options;
  const buckets = new Map<string, Bucket>();

  function takesToken(scope: string, rate: number): boolean {
    const key = `${rate} ${scope}`;
    const capacity = Math.max(1, rate);
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      if (buckets.size >= mostBuckets) buckets.clear();
      bucket = { tokens: capacity, filledAt: now() };
      buckets.set(key, bucket);
    }
    const time = now();
    bucket.tokens = Math.min(capacity, bucket.tokens + ((time - bucket.filledAt) / 1000) * rate);
    bucket.filledAt = time;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  return {
    async before({ requestsPerSecond, latencyMs, errors }, scope, signal) {
      if (requestsPerSecond !== undefined && !takesToken(scope, requestsPerSecond)) {
        throw new WireException(injected('ThrottlingException'));
      }
      if (latencyMs !== undefined && latencyMs > 0) await delay(latencyMs, signal);
      for (const { name, rate } of errors) if (random() < rate) throw new WireException(injected(name));
    },
    async *within({ exception, cutAfter }, frames) {
      let count = 0;
      for await (const frame of frames) {
        if (count === cutAfter) {
          // A connection that is broken off takes with it what has not arrived yet.
          await delay(arrivalMs, new AbortController().signal);
          throw new Error('The stream was cut, as asked for.');
        }
        if (count === exception?.events) {
          yield errorFrame(injected(exception.name));
          return;
        }
        count += 1;
        yield frame;
      }
    },
  };
}

/** Ends early when nobody waits any more. */
async function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
