import { AquiferError, describeError, type ErrorDescription, isAquiferError, throwIfAborted } from '@aquifer/contracts';
import { describeNetworkError } from '../network-errors.js';
import { createLineSplitter } from './line-splitter.js';
import { type FailureAdvice, failureError, readFailure, type ServerFailure } from './server-failure.js';

export interface ModelServerOptions {
  /** What messages call it: `Ollama`. */
  readonly name: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Never to be seen in a message, also where the server repeats it. */
  readonly secret?: string;
  /** Longest silence of the server, before the first byte and between two. */
  readonly timeoutMs: number;
  /** What to do where nothing listens at the address, as a sentence. */
  readonly startAdvice: string;
  /** Where the adapter knows better what a failure means. */
  readonly explain?: (failure: ServerFailure) => FailureAdvice | undefined;
}

export interface ModelServerRequest {
  readonly path: string;
  /** Sent as JSON by POST; without one, the request is a GET. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** A server of models that speaks JSON over HTTP. */
export interface ModelServer {
  /** As messages name it: `Ollama at http://127.0.0.1:11434`. */
  readonly label: string;
  readonly baseUrl: string;
  /**
   * @throws `credentials-refused`, `model-access-denied`, `model-not-found`, `model-rejected`, `model-throttled`, `model-unavailable`,
   *   `model-failed` (the answer is not JSON), `aborted`.
   */
  json(request: ModelServerRequest): Promise<unknown>;
  /**
   * Opens a stream of lines: resolves with the response's head. Reading stops the request when the reader stops.
   *
   * @throws as `json`; while lines are read, `model-unavailable` where the connection breaks or falls silent, `aborted`.
   */
  lines(request: ModelServerRequest): Promise<AsyncGenerator<string>>;
}

export function createModelServer(options: ModelServerOptions): ModelServer {
  const { baseUrl, timeoutMs, secret } = options;
  const { origin, hostname } = new URL(baseUrl);
  const label = `${options.name} at ${origin}`;
  const withoutSecret = (text: string): string => (secret ? text.replaceAll(secret, '[key]') : text);

  /** The response of a success, and the watch over its silence, which the caller ends. */
  async function open({
    path,
    body,
    signal,
  }: ModelServerRequest): Promise<{ response: Response; watch: SilenceWatch }> {
    throwIfAborted(signal);
    const watch = createSilenceWatch(timeoutMs, signal);
    watch.listen();
    try {
      const response = await fetch(`${baseUrl}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(body !== undefined && { body: serverJson(body) }),
        // A redirect would take texts, and a POST as a GET, to where nobody meant them to go.
        redirect: 'manual',
        signal: watch.signal,
      });
      if (response.ok) return { response, watch };
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new AquiferError(
          'model-rejected',
          `${label} redirects to ${response.headers.get('location') ?? 'another address'}, and redirects are not followed. Give the final address.`,
        );
      }
      const failure = readFailure(response, withoutSecret(await response.text()));
      throw failureError(label, failure, options.explain?.(failure));
    } catch (error) {
      watch.end();
      throw described(error, signal, watch);
    }
  }

  function described(error: unknown, signal: AbortSignal | undefined, watch: SilenceWatch): unknown {
    if (isAquiferError(error)) return error;
    throwIfAborted(signal);
    if (watch.isSilent()) {
      return new AquiferError('model-unavailable', `${label} sent nothing for ${timeoutMs / 1000} s.`, {
        retryable: true,
        cause: error,
      });
    }
    return describeError(error, unreachable(error));
  }

  function unreachable(error: unknown): ErrorDescription {
    const known = describeNetworkError(error, { modelId: options.name, endpoint: origin });
    const message = known?.message ?? `${label} could not be asked: ${String(error)}`;
    // On this machine nobody starts a server by waiting for it.
    const isOff = isLoopback(hostname) && message.includes('ECONNREFUSED');
    return {
      code: known?.code ?? 'model-failed',
      retryable: known?.retryable === true && !isOff,
      message: message.includes('ECONNREFUSED') ? `${message}. ${options.startAdvice}` : message,
    };
  }

  return {
    label,
    baseUrl,
    async json(request) {
      const { response, watch } = await open(request);
      let text: string;
      try {
        text = await response.text();
      } catch (error) {
        throw described(error, request.signal, watch);
      } finally {
        watch.end();
      }
      return parseServerJson(text, label);
    },
    async lines(request) {
      const { response, watch } = await open(request);
      const bytes = response.body;
      if (bytes === null) {
        watch.end();
        throw new AquiferError('model-failed', `${label} answered without a body.`);
      }
      watch.pause();
      return readLines(bytes, {
        watch,
        describe: (error) => described(error, request.signal, watch),
        ...(request.signal && { signal: request.signal }),
      });
    },
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** A body as JSON, with halves of characters replaced: strict servers refuse a body that holds one. */
export function serverJson(body: unknown): string {
  return JSON.stringify(body, (_, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\uFFFD') : value,
  );
}

/** @throws `model-failed` */
export function parseServerJson(text: string, label: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AquiferError(
      'model-failed',
      `${label} gave something that is not JSON: ${JSON.stringify(text.slice(0, 120))}.`,
      { cause: error },
    );
  }
}

interface LineReading {
  readonly watch: SilenceWatch;
  readonly signal?: AbortSignal;
  describe(error: unknown): unknown;
}

async function* readLines(bytes: ReadableStream<Uint8Array>, reading: LineReading): AsyncGenerator<string> {
  const { watch, signal, describe } = reading;
  const reader = bytes.getReader();
  const splitter = createLineSplitter();
  try {
    for (;;) {
      watch.listen();
      const { done, value } = await reader.read();
      // Whoever reads the lines may take as long as they like.
      watch.pause();
      if (done) break;
      for (const line of splitter.push(value)) {
        throwIfAborted(signal);
        yield line;
      }
    }
    throwIfAborted(signal);
  } catch (error) {
    throw describe(error);
  } finally {
    watch.end();
    await reader.cancel().catch(() => {});
  }
}

interface SilenceWatch {
  /** Fires when the caller's does, and when the server was silent for too long. */
  readonly signal: AbortSignal;
  isSilent(): boolean;
  listen(): void;
  pause(): void;
  end(): void;
}

function createSilenceWatch(timeoutMs: number, outer: AbortSignal | undefined): SilenceWatch {
  const controller = new AbortController();
  let silent = false;
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => controller.abort();
  outer?.addEventListener('abort', abort, { once: true });
  const pause = (): void => clearTimeout(timer);
  return {
    signal: controller.signal,
    isSilent: () => silent,
    listen: () => {
      pause();
      timer = setTimeout(() => {
        silent = true;
        controller.abort();
      }, timeoutMs);
    },
    pause,
    end: () => {
      pause();
      outer?.removeEventListener('abort', abort);
    },
  };
}
