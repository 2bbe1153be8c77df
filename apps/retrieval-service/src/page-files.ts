import { readFile, stat } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { extname, join } from 'node:path';
import { type Exchange, pathOf } from './exchange.js';

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Scripts and styles from files of the page alone, requests to this service alone, and nothing in a frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  // The standard fonts, for files that bring none.
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const always: OutgoingHttpHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** Views of the page: each is the same document, which looks at the path itself. */
const views = /^\/(?:ask|search|status|documents(?:\/[^/]+)?)?\/?$/;
/** The routes of the API, to read and to try. */
const docs = /^\/docs\/?$/;
const files = /^\/(?:icon\.svg|assets(?:\/\w[\w.-]*)+)$/;

/** Names of these files have a hash or a version: what they hold never changes. */
const immutable = 'public, max-age=31536000, immutable';

const notBuilt = `The page of this service is not built. In the folder of Aquifer:

  npm run build

The API works without it: /openapi.json describes it.
`;

export interface PageFiles {
  /** Answers where the path is one of the page's, and says whether it has. */
  answer(exchange: Exchange, requestId: string): Promise<boolean>;
}

/**
 * Serves the built page of a folder: files as they are on the disk, compressed where `name.br` and `name.gz` lie beside them. Nothing of it needs a key: what
 * the page shows it asks of the API.
 *
 * @param folder That of `index.html`. Where that is missing, visitors are told how to build it.
 */
export function createPageFiles(folder: string): PageFiles {
  return {
    async answer(exchange, requestId) {
      const { method, target, headers } = exchange;
      if (method !== 'GET' && method !== 'HEAD') return false;
      const path = pathOf(target);
      const isDocs = docs.test(path);
      const isView = isDocs || views.test(path);
      if (!isView && !files.test(path)) return false;
      const name = isDocs ? 'docs.html' : isView ? 'index.html' : path.slice(1);
      const found = await findFile(join(folder, name), String(headers['accept-encoding'] ?? ''));
      if (found === undefined && !isView) return false;
      // What is not read would be taken for the next request of the connection.
      await exchange.readBody(1_000);
      if (found === undefined) {
        exchange.send(
          503,
          {
            'x-request-id': requestId,
            ...always,
            'content-type': 'text/plain; charset=utf-8',
            'cache-control': 'no-store',
          },
          notBuilt,
        );
        return true;
      }
      const about = {
        'x-request-id': requestId,
        ...always,
        'cache-control': path.startsWith('/assets/') ? immutable : 'no-cache',
        etag: found.etag,
        vary: 'accept-encoding',
      };
      if (headers['if-none-match'] === found.etag) {
        exchange.send(304, about, '');
        return true;
      }
      const described = {
        ...about,
        'content-type': mediaTypes[extname(name)] ?? 'application/octet-stream',
        ...(found.encoding && { 'content-encoding': found.encoding }),
      };
      exchange.send(200, described, await readFile(found.path));
      return true;
    },
  };
}

const encodings = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
] as const;

async function findFile(path: string, accepted: string) {
  const names = accepted
    .split(',')
    .filter((each) => !/;\s*q=0(\.0*)?\s*$/.test(each))
    .map((each) => each.split(';')[0]!.trim());
  for (const { encoding, ending } of encodings) {
    const etag = names.includes(encoding) ? await etagOf(path + ending) : undefined;
    if (etag !== undefined) return { path: path + ending, encoding, etag };
  }
  const etag = await etagOf(path);
  return etag === undefined ? undefined : { path, encoding: undefined, etag };
}

/** Of size and time, so that a file that was built again while the service runs is another one. */
async function etagOf(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}${/\.(br|gz)$/.exec(path)?.[0] ?? ''}"`;
  } catch {
    return undefined;
  }
}
