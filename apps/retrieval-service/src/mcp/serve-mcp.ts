import { createMcpServer, type McpServerOptions } from './mcp-server.js';

/**
 * The Model Context Protocol on standard input and output, until the input ends or the signal fires: whatever started the process speaks it. Nothing else may be
 * printed to stdout meanwhile.
 */
export async function serveMcp(options: McpServerOptions): Promise<void> {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
  const server = await createMcpServer(options);
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
    options.signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.connect(new StdioServerTransport());
  await ended;
  await server.close();
}
