import { EventStreamCodec, type MessageHeaders } from '@smithy/eventstream-codec';
import { streamMemberOf, type WireError } from './wire-error.js';

export const eventStreamType = 'application/vnd.amazon.eventstream';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : decoder.decode(bytes as Uint8Array)),
  (text) => encoder.encode(text),
);

/**
 * One event of a stream, as a frame with lengths and checksums.
 *
 * Source: https://smithy.io/2.0/aws/amazon-eventstream.html
 *
 * @param type Member of the stream's union, such as `chunk` or `contentBlockDelta`.
 * @param payload The member, as JSON.
 */
export function eventFrame(type: string, payload: unknown): Uint8Array {
  return frame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    JSON.stringify(payload),
  );
}

/** An error in the middle of a stream: a modeled exception where the stream has this one, else an unmodeled error. Nothing follows it. */
export function errorFrame(error: WireError): Uint8Array {
  const member = streamMemberOf(error.name);
  if (member === undefined) {
    return frame(
      { ':message-type': 'error', ':error-code': error.name, ':error-message': error.message.slice(0, 1024) },
      '',
    );
  }
  return frame(
    { ':exception-type': member, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify({ message: error.message, ...error.details }),
  );
}

function frame(headers: Readonly<Record<string, string>>, body: string): Uint8Array {
  const typed: MessageHeaders = {};
  for (const [name, value] of Object.entries(headers)) typed[name] = { type: 'string', value };
  return codec.encode({ headers: typed, body: encoder.encode(body) });
}
