import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';

const bin = fileURLToPath(new URL('../../../cli/bin/aquifer.js', import.meta.url));
const secretOf = (name: string) => `secret-of-${name}`;
const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId) });
const as = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });

async function withClient(transport: Transport, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

async function said(client: Client, name: string, args: Record<string, unknown>) {
  const { content, isError = false } = await client.callTool({ name, arguments: args });
  return { text: (content as { text: string }[]).map(({ text }) => text).join('\n'), isError };
}

/** What every way to the tools must give. */
async function checkTools(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), ['ask', 'get_document', 'search']);
  assert.ok(tools.every(({ annotations }) => annotations?.readOnlyHint));
  const found = await said(client, 'search', { query: 'parental leave', limit: 1 });
  assert.match(found.text, /\[1\] leave\.md · Leave[\s\S]*52 weeks/);
  const [, documentId = ''] = /documentId (\S+?),/.exec(found.text) ?? [];
  const answer = await said(client, 'ask', { question: 'How long is parental leave in Japan?' });
  assert.match(answer.text, /52 weeks\.? \[1\][\s\S]*\[1\] leave\.md · documentId/);
  const part = await said(client, 'get_document', { documentId, start: 2, characters: 5 });
  assert.match(part.text, /^leave\.md · Leave\n\n.{5}\n\n\(Goes on: start 7 of \d+\.\)$/s);
  const missing = await said(client, 'get_document', { documentId: 'none' });
  assert.equal(missing.isError, true);
  assert.match(missing.text, /document-not-found/);
  assert.equal((await said(client, 'search', { query: 'a', knowledgeBase: 'another' })).isError, true);
}

describe('the Model Context Protocol', () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative({
      keys: fixedKeys([
        key('OWNER'),
        { ...key('READER'), scopes: ['read'] },
        { ...key('WRITER'), scopes: ['write'] },
        { ...key('STRANGER'), tenant: 'another' },
      ]),
    });
    await native.post('/v1/knowledge-bases', { name: 'default' }, as('OWNER'));
    const documents = [{ name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' }];
    const sent = await native.post('/v1/knowledge-bases/default/documents', { documents }, as('OWNER'));
    const { job } = await json(sent);
    await (await native.send(`/v1/jobs/${job.id}/events`, { headers: as('OWNER') })).text();
  });
  after(() => native.close());

  const overHttp = (name: string) =>
    new StreamableHTTPClientTransport(new URL('/mcp', native.endpoint), { requestInit: { headers: as(name) } });

  it('has its tools over HTTP', () => withClient(overHttp('READER'), checkTools));

  it('has its tools on standard input and output', async () => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AQUIFER_')));
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [bin, 'mcp', '--kb', native.location],
      env: env as Record<string, string>,
      cwd: native.folder,
    });
    await withClient(transport, checkTools);
  });

  it('shows a tenant nothing of another, and needs a key that may read', async () => {
    await withClient(overHttp('STRANGER'), async (client) => {
      const found = await said(client, 'search', { query: 'parental leave', knowledgeBase: 'default' });
      assert.equal(found.isError, true);
      assert.ok(!found.text.includes('52'));
    });
    for (const name of ['WRITER', 'NOBODY']) await assert.rejects(withClient(overHttp(name), async () => {}));
    assert.equal((await native.send('/mcp', { headers: as('READER') })).status, 405);
  });

  it('does not answer pages of other origins where there are no keys', async () => {
    const open = await startNative();
    try {
      const body = {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
      };
      const ask = (origin: string) =>
        open.post('/mcp', body, { accept: 'application/json, text/event-stream', origin });
      assert.equal((await ask('http://attacker.example')).status, 403);
      assert.equal((await ask('http://localhost:5173')).status, 200);
    } finally {
      await open.close();
    }
  });
});
