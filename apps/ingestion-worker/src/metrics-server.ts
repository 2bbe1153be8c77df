import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AquiferError } from 'aquifer';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers `GET /metrics` with what `text` says, and `GET /healthz`, on all addresses: nothing of a document is in it.
 *
 * @throws `invalid-options` where the port cannot be had
 */
export async function startMetricsServer(port: number, text: () => string): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const isMetrics = request.url === '/metrics';
    const isKnown = isMetrics || request.url === '/healthz';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(isMetrics ? text() : isKnown ? 'ok\n' : 'not found: /metrics and /healthz are here\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new AquiferError('invalid-options', `--metrics-port ${port} cannot be listened on: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
