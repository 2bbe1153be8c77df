import { createServer as createHttp1Server, type Server } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { type Exchange, http1Exchange, http2Exchange, type Patience, usualPatience } from './exchange.js';

/** How a connection of HTTP/2 without TLS begins (RFC 9113, 3.4); no request line of HTTP/1.1 does. */
const preface = 'PRI';

/**
 * SETTINGS_NO_RFC7540_PRIORITIES (RFC 9218, 2.1): answers go out one after another. By the older scheme an answer of which the connection's window let
 * a part through waits until no newer one comes: of 16 requests at once, the median took 1.3 ms and one in a hundred 75 ms; so, 5.6 and 29 ms.
 */
const withoutPriorityTree = { 9: 1 };

export interface OnePort {
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Takes no more connections, lets requests under way finish for as long as `graceMs`, then breaks them off. */
  close(graceMs: number): Promise<void>;
}

/**
 * HTTP/1.1 and HTTP/2 (prior knowledge, no TLS) on one port: the AWS SDK for JavaScript speaks the one with Bedrock's runtime, all other
 * SDKs the other.
 */
export function createOnePort(
  handle: (exchange: Exchange) => Promise<void>,
  patience: Patience = usualPatience,
): OnePort {
  const { silenceMs, headMs } = patience;
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let isClosing = false;

  const http2 = createHttp2Server({ settings: { customSettings: withoutPriorityTree } });
  http2.on('stream', (stream, headers) => void handle(http2Exchange(stream, headers, patience)));
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    // A client that breaks off is no failure of the server.
    session.on('error', () => {});
    if (isClosing) session.close();
  });

  // Node would end any request after `requestTimeout`, a long upload too; what drips or is silent ends in the exchange.
  const http1: Server = createHttp1Server(
    { requestTimeout: 0, headersTimeout: headMs, connectionsCheckingInterval: Math.min(headMs, 5_000) },
    (request, response) => void handle(http1Exchange(request, response, { patience })),
  );
  http1.timeout = silenceMs;
  http1.on('checkContinue', (request, response) => {
    void handle(http1Exchange(request, response, { waits: true, patience }));
  });
  http1.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  // The listener that Node has put there makes any socket one of HTTP/1.1; it is called for those that are.
  const [acceptHttp1] = http1.listeners('connection') as ((socket: Socket) => void)[];
  http1.removeAllListeners('connection');
  http1.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const onError = () => {};
    socket.on('error', onError);
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.removeAllListeners('timeout');
      if (first.toString('latin1', 0, preface.length) !== preface) {
        acceptHttp1!.call(http1, socket);
        // What was read belongs to whoever reads on: put back, it would come again in a turn of its own.
        socket.emit('data', first);
        return;
      }
      // A server of HTTP/1.1 lets callers end their side first; a connection of HTTP/2 that one side has ended is over.
      socket.allowHalfOpen = false;
      socket.setTimeout(0);
      socket.pause();
      socket.unshift(first);
      http2.once('session', (session) => endWhereNothingIsAsked(session, socket, patience));
      http2.emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        http1.once('error', reject);
        http1.listen(port, host, () => {
          http1.off('error', reject);
          const address = http1.address();
          if (typeof address === 'object' && address) resolve({ host: address.address, port: address.port });
        });
      }),
    async close(graceMs) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      http1.closeIdleConnections();
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Ends a connection of HTTP/2 whose first head takes too long, or on which no request is open for a time of silence: whatever else it sends, and in what pieces. */
function endWhereNothingIsAsked(session: ServerHttp2Session, socket: Socket, { headMs, silenceMs }: Patience): void {
  let open = 0;
  const end = () => {
    if (open > 0) return;
    // Says first that it ends; who does not read that is not waited for.
    session.destroy();
    setTimeout(() => socket.destroy(), headMs).unref();
  };
  let timer = setTimeout(end, headMs);
  session.once('stream', () => {
    clearTimeout(timer);
    timer = setTimeout(end, silenceMs);
  });
  session.on('stream', (stream) => {
    open += 1;
    stream.on('close', () => {
      open -= 1;
      if (open === 0) timer.refresh();
    });
  });
  session.on('close', () => clearTimeout(timer));
}
