import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';

/**
 * One request and its answer, over whichever protocol.
 *
 * What changes is a field, not a getter: an object literal with a getter is slow to use, and lives with all that it holds until old space is
 * collected.
 */
export interface Exchange {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Fires when the caller goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** Of the answer, once it has begun. */
  readonly status: number | undefined;
  /** The body as it comes, for who does not want all of it at once: instead of `readBody`. */
  openBody(): Readable;
  /**
   * The whole body; undefined as soon as it is longer than `limit` bytes, without holding more than those. Whoever asks after it has been read
   * gets the same.
   */
  readBody(limit: number): Promise<Buffer | undefined>;
  send(status: number, headers: OutgoingHttpHeaders, body: Uint8Array | string): void;
  /** Resolves when the last chunk is on its way, or the caller is gone. */
  stream(status: number, headers: OutgoingHttpHeaders, chunks: AsyncIterable<Uint8Array | string>): Promise<void>;
  /** Breaks off without ending the answer. */
  cut(): void;
}

/** A request's target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** Whether a body holds files, which are taken from the wire as they come. */
export function isForm(contentType: string | undefined): boolean {
  return /^multipart\/form-data\b/i.test(contentType ?? '');
}

/**
 * What is thrown away of a body that is too long before the answer comes. A caller that is still writing may not read: Node's own HTTP/2
 * client refuses answers while it has megabytes to send.
 */
const mostDiscarded = 64 * 1024 * 1024;

/** How long clients may take. */
export interface Patience {
  /** Nothing of a body comes, or nothing of an answer is taken. Uploads may last as long as their bytes flow. */
  readonly silenceMs: number;
  /** A body that is no upload, however it drips. */
  readonly bodyMs: number;
  /** The head of a request. */
  readonly headMs: number;
}

export const usualPatience: Patience = { silenceMs: 60_000, bodyMs: 300_000, headMs: 30_000 };

type Collecting = { readonly announced: number; readonly limit: number; readonly bodyMs: number };

/** A stream that was read says nothing more: who asks after somebody who has declined the request gets what was read then. */
function collectOnce(source: Readable): (how: Collecting) => Promise<Buffer | undefined> {
  let collected: Promise<Buffer | undefined> | undefined;
  return async (how) => {
    collected ??= collect(source, how);
    const body = await collected;
    return body === undefined || body.length > how.limit ? undefined : body;
  };
}

async function collect(source: Readable, { announced, limit, bodyMs }: Collecting): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    // One that is silent is cut off by the connection's own timer, so it is enough to look when something comes.
    const until = performance.now() + bodyMs;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isTooLong = announced > limit;
    source.on('data', (chunk: Buffer) => {
      if (performance.now() > until) source.destroy(new Error('The request took too long to come.'));
      bytes += chunk.length;
      if (bytes > limit) isTooLong = true;
      if (!isTooLong) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (bytes > limit + mostDiscarded) resolve(undefined);
    });
    const onClose = () => reject(new Error('The caller went away in the middle of the request.'));
    source.once('close', onClose);
    source.once('end', () => {
      // Every request closes in the end, and an error takes a stack to make.
      source.off('close', onClose);
      if (isTooLong) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    source.once('error', reject);
  });
}

/**
 * @param onChunk Called before each is written.
 * @param untaken Called where a chunk is not taken for so long.
 */
async function writeAll(
  target: Writable,
  chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  { onChunk, untaken }: { onChunk?: () => void; untaken?: { readonly afterMs: number; giveUp(): void } } = {},
): Promise<void> {
  for await (const chunk of chunks) {
    if (target.destroyed) return;
    onChunk?.();
    if (target.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const timer = untaken && setTimeout(untaken.giveUp, untaken.afterMs);
      const done = () => {
        clearTimeout(timer);
        target.off('drain', done);
        target.off('close', done);
        resolve();
      };
      target.on('drain', done);
      target.on('close', done);
    });
  }
  target.end();
}

/** What is taken of an answer over HTTP/2 is seen piece by piece: so much has to be within the time of silence. */
const pieceBytes = 64 * 1024;

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < body.length; start += pieceBytes) yield body.subarray(start, start + pieceBytes);
}

function announcedLength(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0);
}

/** How long the head of a streamed answer waits for the first chunk: one packet instead of two. */
const headPatienceMs = 5;

/** @param waits Whether the caller waits for `100 Continue` before it sends the body. */
export function http1Exchange(
  request: IncomingMessage,
  response: ServerResponse,
  { waits = false, patience = usualPatience }: { readonly waits?: boolean; readonly patience?: Patience } = {},
): Exchange {
  const { bodyMs } = patience;
  // The server times the silence of its connections. Once the body is here, a model may think for as long as it likes, while what it has said is taken.
  request.on('timeout', () => request.destroy());
  response.on('timeout', () => {
    if (response.writableLength > 0) response.destroy();
  });
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableEnded) gone.abort();
  });
  response.on('error', () => {});
  const collectBody = collectOnce(request);
  const exchange: Exchange & { status: number | undefined } = {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.headers,
    signal: gone.signal,
    status: undefined,
    openBody() {
      if (waits) response.writeContinue();
      return request;
    },
    async readBody(limit) {
      const announced = announcedLength(request.headers);
      if (waits && announced > limit) return undefined;
      if (waits) response.writeContinue();
      return collectBody({ announced, limit, bodyMs });
    },
    send(status, headers, body) {
      // What is left of a refused body would be taken for the next request.
      if (!request.complete) response.shouldKeepAlive = false;
      exchange.status = status;
      response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
      response.end(body);
    },
    async stream(status, headers, chunks) {
      exchange.status = status;
      response.writeHead(status, headers);
      // With the first chunk, where that is about to come.
      const flushing = setTimeout(() => response.flushHeaders(), headPatienceMs);
      const hasBegun = () => clearTimeout(flushing);
      await writeAll(response, chunks, { onChunk: hasBegun }).finally(hasBegun);
    },
    cut: () => void response.destroy(),
  };
  return exchange;
}

export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: Http2Headers,
  { silenceMs, bodyMs }: Patience = usualPatience,
): Exchange {
  const reset = (code: number) => {
    stream.close(code);
    // On a connection of which nothing is read, this would wait to be sent.
    stream.destroy();
  };
  const untaken = { afterMs: silenceMs, giveUp: () => reset(constants.NGHTTP2_CANCEL) };
  stream.setTimeout(silenceMs, () => {
    if (!stream.readableEnded) untaken.giveUp();
  });
  stream.once('end', () => stream.setTimeout(0));
  const gone = new AbortController();
  // Node itself ends the writing side of a stream that the caller resets, so that side does not say who ended it.
  let isAnswered = false;
  let waiting: NodeJS.Timeout | undefined;
  /** The stream's own timer would not do: it takes what other streams of the connection send for progress. */
  const awaitTaken = () => {
    if (stream.destroyed) return;
    waiting = setTimeout(() => {
      if (!stream.writableFinished) untaken.giveUp();
    }, silenceMs);
  };
  stream.on('aborted', () => gone.abort());
  stream.on('close', () => {
    clearTimeout(waiting);
    if (!isAnswered) gone.abort();
  });
  stream.on('error', () => {});
  const collectBody = collectOnce(stream);
  const exchange: Exchange & { status: number | undefined } = {
    method: headers[':method'] ?? '',
    target: headers[':path'] ?? '',
    headers,
    signal: gone.signal,
    status: undefined,
    openBody: () => stream,
    readBody: (limit) => collectBody({ announced: announcedLength(headers), limit, bodyMs }),
    send(status, answerHeaders, body) {
      if (stream.destroyed) return;
      isAnswered = true;
      exchange.status = status;
      stream.respond({ ':status': status, 'content-length': Buffer.byteLength(body), ...answerHeaders });
      if (body.length > pieceBytes) {
        const pieces = piecesOf(typeof body === 'string' ? Buffer.from(body) : body);
        void writeAll(stream, pieces, { untaken }).then(awaitTaken);
      } else {
        stream.end(body);
        awaitTaken();
      }
    },
    async stream(status, answerHeaders, chunks) {
      exchange.status = status;
      // Who makes the chunks learns that nobody waits by being asked for the first, and left.
      if (!stream.closed) stream.respond({ ':status': status, ...answerHeaders });
      await writeAll(stream, chunks, { untaken });
      isAnswered = true;
      awaitTaken();
    },
    cut: () => reset(constants.NGHTTP2_INTERNAL_ERROR),
  };
  return exchange;
}
