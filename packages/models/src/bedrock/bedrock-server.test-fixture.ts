import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

/** One request as the server got it. */
export interface ReceivedRequest {
  /** Such as `invoke` or `converse-stream`. */
  readonly operation: string;
  readonly modelId: string;
  readonly headers: http2.IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: each family has its own body, and the tests look into them
  readonly body: any;
}

export type Respond = (request: ReceivedRequest, stream: http2.ServerHttp2Stream) => void | Promise<void>;

/** A server of the tests that speaks HTTP/2 without TLS, as the AWS SDK does to `http://` addresses. */
export interface BedrockServer {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** Streams that are open now. */
  openStreams(): number;
  /** Connections opened so far. */
  connections(): number;
  close(): Promise<void>;
}

export async function startBedrockServer(respond: Respond): Promise<BedrockServer> {
  const requests: ReceivedRequest[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  let open = 0;
  let connections = 0;
  const server = http2.createServer();
  server.on('session', (session) => {
    connections++;
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    open++;
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('close', () => open--);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const [, , modelId = '', operation = ''] = (headers[':path'] ?? '').split('/');
      const text = Buffer.concat(chunks).toString();
      const body = text === '' ? undefined : JSON.parse(text);
      const request = { operation, modelId: decodeURIComponent(modelId), headers, body };
      requests.push(request);
      void respond(request, stream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    openStreams: () => open,
    connections: () => connections,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

/** Credentials that only such a server accepts. */
export const testCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

export function sendJson(
  stream: http2.ServerHttp2Stream,
  body: unknown,
  headers: http2.OutgoingHttpHeaders = {},
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/json', 'x-amzn-requestid': 'request-1', ...headers });
  stream.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export function sendError(
  stream: http2.ServerHttp2Stream,
  status: number,
  name: string,
  message: string,
  headers: http2.OutgoingHttpHeaders = {},
): void {
  sendJson(stream, { message }, { ':status': status, 'x-amzn-errortype': name, ...headers });
}

/** Response headers of a stream of events. */
export function beginEvents(stream: http2.ServerHttp2Stream): void {
  stream.respond({
    ':status': 200,
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amzn-bedrock-content-type': 'application/json',
    'x-amzn-requestid': 'request-1',
  });
}

/** An event `chunk` of InvokeModelWithResponseStream with the family's own JSON inside. */
export function chunkEvent(json: unknown): Buffer {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return namedEvent('chunk', { bytes: Buffer.from(text).toString('base64') });
}

/** An event of ConverseStream. */
export function namedEvent(name: string, payload: unknown): Buffer {
  return frame(
    { ':message-type': 'event', ':event-type': name, ':content-type': 'application/json' },
    JSON.stringify(payload),
  );
}

/** An exception in the middle of a stream, by its member name: `throttlingException`. */
export function exceptionEvent(name: string, message: string): Buffer {
  return frame(
    { ':message-type': 'exception', ':exception-type': name, ':content-type': 'application/json' },
    JSON.stringify({ message }),
  );
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html, which the format is documented for. */
export function frame(headers: Readonly<Record<string, string>>, payload: string | Buffer): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const header = Buffer.alloc(4 + name.length + value.length);
      header.writeUInt8(name.length, 0);
      header.write(name, 1);
      header.writeUInt8(7, 1 + name.length);
      header.writeUInt16BE(value.length, 2 + name.length);
      header.write(value, 4 + name.length);
      return header;
    }),
  );
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const message = Buffer.alloc(16 + head.length + body.length);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  head.copy(message, 12);
  body.copy(message, 12 + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
}
