import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';

/** One request and its answer, over whichever protocol. */
export interface Exchange {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Fires when the caller goes away before the answer is complete. */
  readonly signal: AbortSignal;
  /** The whole body; undefined as soon as it is longer than `limit` bytes, without holding more than those. */
  readBody(limit: number): Promise<Buffer | undefined>;
  send(status: number, headers: OutgoingHttpHeaders, body: Uint8Array | string): void;
  /** Resolves when the last chunk is on its way, or the caller is gone. */
  stream(status: number, headers: OutgoingHttpHeaders, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Breaks off without ending the answer. */
  cut(): void;
}

/** What is thrown away of a refused body before the connection is given up: a caller that is still writing reads no answer. */
const mostDiscarded = 256 * 1024 * 1024;

async function collect(source: Readable, announced: number, limit: number): Promise<Buffer | undefined> {
  if (announced > limit) {
    discard(source);
    return undefined;
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) {
        chunks.push(chunk);
        return;
      }
      source.off('data', onData);
      discard(source);
      resolve(undefined);
    };
    source.on('data', onData);
    source.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    source.once('error', reject);
    source.once('close', () => reject(new Error('The caller went away in the middle of the request.')));
  });
}

function discard(source: Readable): void {
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostDiscarded) source.destroy();
  });
  source.on('error', () => {});
}

async function writeAll(target: Writable, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (target.destroyed) return;
    if (target.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const done = () => {
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

function announcedLength(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0);
}

/** @param waits Whether the caller waits for `100 Continue` before it sends the body. */
export function http1Exchange(request: IncomingMessage, response: ServerResponse, waits = false): Exchange {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => {});
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.headers,
    signal: gone.signal,
    async readBody(limit) {
      const announced = announcedLength(request.headers);
      if (waits && announced <= limit) response.writeContinue();
      const body = await collect(request, announced, limit);
      if (body === undefined) response.shouldKeepAlive = false;
      return body;
    },
    send(status, headers, body) {
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    },
    async stream(status, headers, chunks) {
      response.writeHead(status, headers);
      response.flushHeaders();
      await writeAll(response, chunks);
    },
    cut: () => void response.destroy(),
  };
}

export function http2Exchange(stream: ServerHttp2Stream, headers: Http2Headers): Exchange {
  const gone = new AbortController();
  stream.on('close', () => {
    if (!stream.writableFinished) gone.abort();
  });
  stream.on('error', () => {});
  return {
    method: headers[':method'] ?? '',
    target: headers[':path'] ?? '',
    headers,
    signal: gone.signal,
    readBody: (limit) => collect(stream, announcedLength(headers), limit),
    send(status, answerHeaders, body) {
      if (stream.destroyed) return;
      stream.respond({ ...answerHeaders, ':status': status, 'content-length': Buffer.byteLength(body) });
      stream.end(body);
    },
    async stream(status, answerHeaders, chunks) {
      if (stream.destroyed) return;
      stream.respond({ ...answerHeaders, ':status': status });
      await writeAll(stream, chunks);
    },
    cut: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  };
}
