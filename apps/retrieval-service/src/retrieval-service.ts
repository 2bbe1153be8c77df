import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { errorResponse, handleRequest, type ModelBackend, routeOf, type WireResponse } from '@aquifer/bedrock-wire';
import { Hono } from 'hono';
import type { Exchange } from './exchange.js';
import { createOnePort } from './one-port.js';

/** Bedrock's own limit for a body, in bytes. */
const maxBodyBytes = 25_000_000;

export interface RetrievalServiceOptions {
  readonly backend: ModelBackend;
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8420; 0 takes any free one. */
  readonly port?: number;
}

export interface RetrievalService {
  /** @returns the address, such as `http://127.0.0.1:8420`. */
  listen(options?: ListenOptions): Promise<string>;
  /** Requests under way may finish for `graceMs` (default 10,000), then they are broken off. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Aquifer over HTTP: the runtime of Amazon Bedrock, on this machine, for any AWS SDK. HTTP/1.1 and HTTP/2 without TLS on one port.
 *
 * @example
 * const service = createRetrievalService({ backend: createLocalBackend({ embedderByName, generatorByName }) });
 * const url = await service.listen(); // AWS_ENDPOINT_URL_BEDROCK_RUNTIME
 */
export function createRetrievalService({ backend }: RetrievalServiceOptions): RetrievalService {
  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));

  async function handle(exchange: Exchange): Promise<void> {
    const requestId = randomUUID();
    try {
      const path = pathOf(exchange.target);
      // Not through the router: nothing but parsing and answering is on the way of a request to a model.
      const route = exchange.method === 'POST' ? routeOf(path) : undefined;
      const body = await exchange.readBody(maxBodyBytes);
      if (body === undefined) {
        await respond(exchange, errorResponse(tooLong, requestId));
      } else if (route === undefined) {
        await respondFrom(exchange, app, body);
      } else {
        const { signal } = exchange;
        await respond(exchange, await handleRequest({ ...route, requestId, body, signal }, backend));
      }
    } catch {
      // The caller is gone.
      exchange.cut();
    }
  }

  const port = createOnePort(handle);
  return {
    async listen(options = {}) {
      const bound = await port.listen(options.host ?? '127.0.0.1', options.port ?? 8420);
      return `http://${isIPv6(bound.host) ? `[${bound.host}]` : bound.host}:${bound.port}`;
    },
    close: ({ graceMs = 10_000 } = {}) => port.close(graceMs),
  };
}

const tooLong = {
  name: 'ValidationException',
  message: `1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to ${maxBodyBytes}`,
} as const;

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

async function respond(exchange: Exchange, { status, headers, body }: WireResponse): Promise<void> {
  if (typeof body === 'string' || body instanceof Uint8Array) exchange.send(status, headers, body);
  else await exchange.stream(status, headers, body);
}

async function respondFrom(exchange: Exchange, app: Hono, body: Buffer): Promise<void> {
  const { method, target, headers } = exchange;
  const sent = Object.entries(headers).filter(
    (each): each is [string, string] => !each[0].startsWith(':') && typeof each[1] === 'string',
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const request = new Request(new URL(target, 'http://service'), {
    method,
    headers: sent,
    ...(hasBody && { body: new Uint8Array(body) }),
  });
  const response = await app.fetch(request);
  exchange.send(response.status, Object.fromEntries(response.headers), new Uint8Array(await response.arrayBuffer()));
}
