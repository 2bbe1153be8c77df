import type { ServerResponse } from 'node:http';
import { frame } from '../bedrock/bedrock-server.test-fixture.js';
import { sendJson } from './test-server.js';

/** A part of a streamed answer: any bytes of it. */
export function payloadPart(bytes: Buffer): Buffer {
  const headers = {
    ':message-type': 'event',
    ':event-type': 'PayloadPart',
    ':content-type': 'application/octet-stream',
  };
  return frame(headers, bytes);
}

/** An exception in the middle of a stream. */
export function streamException(name: string, fields: object): Buffer {
  const headers = { ':message-type': 'exception', ':exception-type': name, ':content-type': 'application/json' };
  return frame(headers, Buffer.from(JSON.stringify(fields)));
}

export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': 'request-1' });
}

export function sendException(response: ServerResponse, status: number, name: string, fields: object): void {
  sendJson(response, fields, status, { 'x-amzn-errortype': name, 'x-amzn-requestid': 'request-1' });
}
