import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { AquiferError } from '@aquifer/contracts';
import { getPath } from 'hono/utils/url';
import { type AccessControl, type Caller, refusalOf } from '../access/access-control.js';
import type { KeyScope } from '../access/key-ring.js';
import { type Exchange, isForm } from '../exchange.js';
import type { KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import { observedHost } from '../observing/observed-host.js';
import type { RequestObservation } from '../observing/request-observer.js';
import type { NativeApp } from './native-api.js';
import { Problem } from './problem.js';
import { readRequest } from './read-request.js';
import { ReadyAnswer } from './ready-answer.js';
import { sendProblem } from './send-problem.js';

const brotli = promisify(brotliCompress);
const compressors = {
  br: (bytes: Buffer) =>
    brotli(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: promisify<Buffer, Buffer>(gzip),
};
/** Smaller ones fit into one packet as they are. */
const leastCompressed = 1_400;

/** Most bytes of a request that is no upload. */
const maxJsonBytes = 25_000_000;

/** What is on every answer: nobody else's page shows it in a frame, guesses its type, or learns from where it was opened. */
const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};

/** What an exchange is answered with. */
export interface NativeSurroundings {
  readonly access: AccessControl;
  readonly host: KnowledgeBaseHost;
  readonly observation: RequestObservation;
}

/** What a request needs a key for, by the path that is routed: the one on the wire may say it in other ways. */
function scopeOf(method: string, path: string): KeyScope {
  if (method === 'GET' || method === 'HEAD') return 'read';
  if (/\/(search|ask|explain)$/.test(path) || path === '/v1/chat/completions' || path === '/mcp') return 'read';
  if (path === '/v1/embeddings') return 'model';
  return method === 'DELETE' && /^\/v1\/knowledge-bases\/[^/]+$/.test(path) ? 'admin' : 'write';
}

/**
 * Answers an exchange by the routes of an app. Files that are sent are left on the wire for the route that takes them; any other body is read
 * whole before the route is asked.
 */
export async function answerExchange(
  app: NativeApp,
  exchange: Exchange,
  { access, host, observation }: NativeSurroundings,
): Promise<void> {
  const { requestId } = observation;
  const { method, target, headers } = exchange;
  const hasFiles = isForm(headers['content-type']);
  const body = hasFiles ? Buffer.alloc(0) : await exchange.readBody(maxJsonBytes);
  const refuse = (thrown: unknown) => sendProblem(exchange, thrown, requestId, always);
  if (body === undefined) {
    const message = `The request has more than ${maxJsonBytes} bytes: send documents as files (multipart/form-data).`;
    return refuse(new AquiferError('too-large', message));
  }
  let request: Request;
  try {
    // The rest of a request nobody here asks for.
    request = readRequest(exchange, body) as unknown as Request;
  } catch {
    return refuse(new Problem('invalid-request', 'The request cannot be read.'));
  }
  let caller: Caller;
  try {
    caller = access.admit({ method, target, headers, body }, scopeOf(method, getPath(request)));
    observation.admitted(caller);
  } catch (thrown) {
    return refuse(refusalOf(thrown));
  }
  const response: Response | ReadyAnswer = await app.fetch(request, {
    exchange,
    caller,
    requestId,
    observation,
    host: observedHost(host, observation),
  });
  const isReady = response instanceof ReadyAnswer;
  const described: Readonly<Record<string, string>> = isReady ? response.headers : Object.fromEntries(response.headers);
  const answered = (added: Readonly<Record<string, string>> = {}) => ({
    'x-request-id': requestId,
    ...described,
    ...always,
    ...added,
  });
  const type = described['content-type'];
  // Of a file it is said how long it is, and it is not held whole.
  const isText =
    type?.startsWith('application/json') === true ||
    (type?.startsWith('text/plain') === true && described['content-length'] === undefined);
  // Not `text()`, which would leave out a byte order mark that is a part of the text.
  const content = isReady ? response.content : isText ? Buffer.from(await response.arrayBuffer()) : response.body;
  if (content !== null && typeof content !== 'string' && !Buffer.isBuffer(content) && method !== 'HEAD') {
    await exchange.stream(response.status, answered(), content);
    return;
  }
  const { encoded, encoding } = await compress(
    Buffer.isBuffer(content) ? content : Buffer.from(typeof content === 'string' ? content : ''),
    headers['accept-encoding'],
  );
  exchange.send(
    response.status,
    answered({
      ...(isText && { vary: 'accept-encoding' }),
      ...(encoding && { 'content-encoding': encoding }),
    }),
    encoded,
  );
}

async function compress(bytes: Buffer, accepted: string | string[] | undefined) {
  const names = String(accepted ?? '')
    .split(',')
    .filter((each) => !/;\s*q=0(\.0*)?\s*$/.test(each))
    .map((each) => each.split(';')[0]?.trim());
  const encoding = (['br', 'gzip'] as const).find((name) => names.includes(name));
  if (encoding === undefined || bytes.length < leastCompressed) return { encoded: bytes, encoding: undefined };
  return { encoded: await compressors[encoding](bytes), encoding };
}
