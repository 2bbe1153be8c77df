import { createMcpServer } from '../mcp/mcp-server.js';
import type { NativeApiOptions, NativeApp } from './native-api.js';

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each request is whole by itself, and the key that is on it decides tenant and scope.
 * See https://modelcontextprotocol.io/specification/2025-06-18/basic/transports.
 */
export function addMcpRoute(app: NativeApp, { version }: NativeApiOptions): void {
  app.post('/mcp', async (context) => {
    const { host, caller, exchange } = context.env;
    const { WebStandardStreamableHTTPServerTransport } = await import(
      '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
    );
    const server = await createMcpServer({ host, tenant: caller.tenant, signal: exchange.signal, version });
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    try {
      await server.connect(transport);
      // It asks more of a request than routes do.
      const { method, url, headers, arrayBuffer } = context.req.raw;
      return await transport.handleRequest(new Request(url, { method, headers, body: await arrayBuffer() }));
    } finally {
      await server.close();
    }
  });
  // There is nothing that the server would say by itself, and no session to end.
  app.on(['GET', 'DELETE'], '/mcp', (context) => context.body(null, 405, { allow: 'POST' }));
}
