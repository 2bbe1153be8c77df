import type { Exchange } from '../exchange.js';

/** As much of a request as the router and its validators ask for. */
export interface ReadRequest extends Pick<Request, 'method' | 'url' | 'bodyUsed' | 'arrayBuffer' | 'text' | 'json'> {
  readonly headers: SentHeaders;
}

/** Of names in lower case. */
class SentHeaders extends Map<string, string> {
  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }
}

/**
 * A request whose body is here already. The platform's `Request` would make a stream and a signal of it and check each header again, which takes longer than routing it.
 *
 * @throws where the target cannot be read.
 */
export function readRequest(
  { method, target, headers }: Pick<Exchange, 'method' | 'target' | 'headers'>,
  body: Buffer,
): ReadRequest {
  const sent = new SentHeaders();
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && typeof value === 'string') sent.set(name, value);
  }
  return {
    method,
    url: new URL(target, 'http://service').href,
    headers: sent,
    // Whoever asks whether there is a body asks for it, and not for a stream.
    bodyUsed: true,
    arrayBuffer: async () => new Uint8Array(body).buffer,
    text: async () => body.toString('utf8'),
    json: async () => JSON.parse(body.toString('utf8')),
  };
}
