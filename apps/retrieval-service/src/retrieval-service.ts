import { randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import {
  type AccessKey,
  errorResponse,
  handleRequest,
  type ModelBackend,
  routeOf,
  toWireError,
  verifySignature,
  type WireResponse,
  type WireRoute,
} from '@aquifer/bedrock-wire';
import { AquiferError } from '@aquifer/contracts';
import { Hono } from 'hono';
import type { BedrockGateway } from './bedrock-gateway.js';
import type { Exchange } from './exchange.js';
import { createFaultInjector, type FaultInjectorOptions, type Faults, parseFaults } from './faults.js';
import { createOnePort } from './one-port.js';
import type { PromptLog } from './prompt-log.js';

/** Bedrock's own limit for a body, in bytes. */
const maxBodyBytes = 25_000_000;
const faultHeader = 'x-aquifer-fault';

export interface RetrievalServiceOptions {
  readonly backend: ModelBackend;
  /**
   * Who may ask. With keys, every request must be signed by one of them, or bear its secret as a token. Without, any signature is accepted,
   * and the service is only for this machine.
   */
  readonly keys?: readonly AccessKey[];
  /** Requests for some models go to the real Bedrock. Only with keys: what they cost is somebody's. */
  readonly passThrough?: { readonly gateway: BedrockGateway; includes(modelId: string): boolean };
  /** Trouble for every request. */
  readonly faults?: Faults;
  /** Whether a caller may ask for trouble in the header `x-aquifer-fault`. Default: yes, unless requests are passed through. */
  readonly faultsByHeader?: boolean;
  readonly faultSource?: FaultInjectorOptions;
  /** Keeps what is asked. Default: nothing is kept. */
  readonly promptLog?: PromptLog;
  /** The clock that signatures are held against, milliseconds since 1970. */
  readonly now?: () => number;
}

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8420; 0 takes any free one. */
  readonly port?: number;
}

export interface RetrievalService {
  /**
   * @returns the address, such as `http://127.0.0.1:8420`.
   * @throws `invalid-options` for an address that others can reach while there are no keys, or one that cannot be listened on.
   */
  listen(options?: ListenOptions): Promise<string>;
  /** Requests under way may finish for `graceMs` (default 10,000), then they are broken off. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Aquifer over HTTP: the runtime of Amazon Bedrock, for any AWS SDK. HTTP/1.1 and HTTP/2 without TLS on one port.
 *
 * @throws `invalid-options` when requests are passed through and there are no keys.
 *
 * @example
 * const service = createRetrievalService({ backend: createLocalBackend({ embedderByName, generatorByName }) });
 * const url = await service.listen(); // AWS_ENDPOINT_URL_BEDROCK_RUNTIME
 */
export function createRetrievalService(options: RetrievalServiceOptions): RetrievalService {
  const { backend, keys = [], passThrough, promptLog, now = Date.now } = options;
  if (passThrough && keys.length === 0) {
    throw new AquiferError(
      'invalid-options',
      'Requests are passed through to Amazon Bedrock only for callers with a key, because it costs money: give a file of keys (keyFile).',
    );
  }
  const faultsByHeader = options.faultsByHeader ?? passThrough === undefined;
  const injector = createFaultInjector(options.faultSource);

  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.notFound((context) => {
    const message = `There is no ${context.req.method} ${context.req.path}.`;
    return context.json({ message }, 404, { 'x-amzn-errortype': 'UnknownOperationException' });
  });

  function faultsOf({ headers }: Exchange): Faults | undefined {
    const header = headers[faultHeader];
    return faultsByHeader && header !== undefined ? parseFaults(String(header)) : options.faults;
  }

  async function answerModel(
    exchange: Exchange,
    route: WireRoute,
    body: Buffer,
    requestId: string,
  ): Promise<WireResponse> {
    const { method, target, headers, signal } = exchange;
    const { modelId, operation } = route;
    try {
      const key =
        keys.length === 0
          ? undefined
          : verifySignature({ method, target, headers, body }, { keys, service: 'bedrock', now: now() });
      const faults = faultsOf(exchange);
      if (faults) await injector.before(faults, `${key?.accessKeyId ?? ''} ${modelId}`, signal);
      const accessKeyId = key?.accessKeyId ?? 'local';
      await promptLog?.keep({ accessKeyId, requestId, operation, modelId, body });
      const response = await (passThrough?.includes(modelId)
        ? passThrough.gateway.forward({ method, target, headers, body, requestId, signal })
        : handleRequest({ ...route, requestId, headers, body, signal }, backend));
      if (faults === undefined || response.status !== 200 || isWhole(response.body)) return response;
      return { ...response, body: injector.within(faults, response.body) };
    } catch (thrown) {
      return errorResponse(toWireError(thrown), requestId);
    }
  }

  async function handle(exchange: Exchange): Promise<void> {
    const requestId = randomUUID();
    try {
      // Models do not go through the router: nothing but parsing and answering is on their way.
      const route = exchange.method === 'POST' ? routeOf(pathOf(exchange.target)) : undefined;
      const body = await exchange.readBody(maxBodyBytes);
      if (body === undefined) await respond(exchange, errorResponse(tooLong, requestId));
      else if (route === undefined) await respondFrom(exchange, app, body);
      else await respond(exchange, await answerModel(exchange, route, body, requestId));
    } catch {
      // The caller is gone, or what it was being sent broke off.
      exchange.cut();
    }
  }

  const port = createOnePort(handle);
  return {
    async listen({ host = '127.0.0.1', port: wanted = 8420 } = {}) {
      if (keys.length === 0 && !isLoopback(host)) {
        throw new AquiferError(
          'invalid-options',
          `Without keys the service listens on this machine only, not on ${host}: give a file of keys (keyFile), or leave the host out.`,
        );
      }
      try {
        const bound = await port.listen(host, wanted);
        return `http://${isIPv6(bound.host) ? `[${bound.host}]` : bound.host}:${bound.port}`;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const reason = code === 'EADDRINUSE' ? 'another program has that port' : message;
        throw new AquiferError('invalid-options', `Cannot listen on ${host}:${wanted}: ${reason}.`, { cause: error });
      }
    },
    close: ({ graceMs = 10_000 } = {}) => port.close(graceMs),
  };
}

const tooLong = {
  name: 'ValidationException',
  message: `1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to ${maxBodyBytes}`,
} as const;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

function isWhole(body: WireResponse['body']): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

async function respond(exchange: Exchange, { status, headers, body }: WireResponse): Promise<void> {
  if (isWhole(body)) exchange.send(status, headers, body);
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
