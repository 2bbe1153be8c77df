import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { errorFrame, eventFrame } from './event-stream.js';

/** By the layout of the specification, not by the library that writes it. */
function decode(frame: Uint8Array): { headers: Record<string, string>; payload: string } {
  const bytes = Buffer.from(frame);
  assert.equal(bytes.readUInt32BE(0), bytes.length);
  assert.equal(bytes.readUInt32BE(8), crc32(bytes.subarray(0, 8)));
  assert.equal(bytes.readUInt32BE(bytes.length - 4), crc32(bytes.subarray(0, -4)));
  const headersEnd = 12 + bytes.readUInt32BE(4);
  const headers: Record<string, string> = {};
  for (let position = 12; position < headersEnd; ) {
    const nameEnd = position + 1 + bytes[position]!;
    assert.equal(bytes[nameEnd], 7);
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers[bytes.toString('utf8', position + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 3, valueEnd);
    position = valueEnd;
  }
  return { headers, payload: bytes.toString('utf8', headersEnd, bytes.length - 4) };
}

describe('event stream frames', () => {
  it('carry an event', () => {
    assert.deepEqual(decode(eventFrame('chunk', { bytes: '東京' })), {
      headers: { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' },
      payload: '{"bytes":"東京"}',
    });
  });

  it('carry an exception that the stream models', () => {
    assert.deepEqual(decode(errorFrame({ name: 'ThrottlingException', message: 'Too many requests' })), {
      headers: {
        ':exception-type': 'throttlingException',
        ':content-type': 'application/json',
        ':message-type': 'exception',
      },
      payload: '{"message":"Too many requests"}',
    });
  });

  it('carry an error that it does not', () => {
    assert.deepEqual(decode(errorFrame({ name: 'AccessDeniedException', message: 'No' })), {
      headers: { ':message-type': 'error', ':error-code': 'AccessDeniedException', ':error-message': 'No' },
      payload: '',
    });
  });
});
