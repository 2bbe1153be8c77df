import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../native/problem.js';

/** This machine by the names that nobody else can take, with any port: tunnels and development servers have ports of their own. */
const loopback = String.raw`(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?`;
const loopbackHost = new RegExp(`^${loopback}$`, 'i');
const loopbackOrigin = new RegExp(`^[a-z][a-z0-9+.-]*://${loopback}$`, 'i');

/**
 * Why a request must not be answered where no key is asked for: any page that a browser of this machine shows can send one. A page of another origin says so in
 * `Origin`; one whose own name was made to lead to this machine (DNS rebinding) has that name in `Host`. The service's own origin is that of its `Host`, so it is
 * allowed with the others of this machine. With keys there is nothing to refuse: a browser adds none by itself, and asks first before it sends one for a page.
 */
export function foreignPageProblem(headers: IncomingHttpHeaders): Problem | undefined {
  const authority = headers[':authority'] ?? headers.host;
  if (authority !== undefined && !loopbackHost.test(String(authority))) {
    return refusal(`The request is for ${shown(String(authority))}`, 'ask for localhost or 127.0.0.1');
  }
  const { origin } = headers;
  if (origin !== undefined && !loopbackOrigin.test(origin)) {
    return refusal(`The request is of a page of ${shown(origin)}`, 'ask from this machine');
  }
  return undefined;
}

function refusal(what: string, remedy: string): Problem {
  return new Problem(
    'forbidden',
    `${what}, and a service without keys answers this machine only: ${remedy}, or give the service keys (aquifer keys create).`,
  );
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 200));
