import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ListedModel, listModels } from 'aquifer';
import type { Context } from '../context.js';
import type { Terminal } from '../terminal/terminal.js';
import { run } from './models.js';

/** What the command prints on a terminal of so many columns, or to another program. */
async function printed(columns: number | undefined, options: { json?: boolean } = {}): Promise<string> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const out: Terminal = {
    columns: columns ?? 100,
    isInteractive: columns !== undefined,
    style: (_style, shown) => shown,
    write,
    line: (line = '') => write(`${line}\n`),
  };
  const setExitCode = () => assert.fail('it failed');
  const context: Context = { out, err: out, signal: new AbortController().signal, environment: {}, setExitCode };
  await run(context, options);
  return text;
}

const lineOf = (text: string, id: string) => text.split('\n').find((line) => line.startsWith(`  ${id} `));

describe('aquifer models', () => {
  it('shows every model with its limits and prices, and when these were published', async () => {
    const text = await printed(120);
    for (const { id } of await listModels()) assert.ok(text.includes(`  ${id}`), id);
    const cells = (id: string) => lineOf(text, id)?.trim().split(/ {2,}/);
    assert.deepEqual(cells('cohere.embed-multilingual-v3'), [
      'cohere.embed-multilingual-v3',
      '1024',
      '512',
      '96',
      '0.1',
    ]);
    assert.deepEqual(cells('amazon.titan-embed-text-v2:0')?.slice(1), ['1024 512 256', '8k', '1', '0.02']);
    const haiku = cells('anthropic.claude-haiku-4-5-20251001-v1:0');
    assert.deepEqual(haiku?.slice(1), ['200k', '64k', '1', '5', 'cites']);
    assert.deepEqual(cells('anthropic.claude-sonnet-5')?.slice(1), ['1M', '128k', '–', '–', 'cites']);
    assert.match(text, /as published in 20\d\d-\d\d\n/);
  });

  it('keeps to a narrow terminal, without the longest answer, and to none where a program reads', async () => {
    for (const columns of [80, 120]) {
      const lines = (await printed(columns)).split('\n');
      assert.deepEqual(
        lines.filter((line) => line.length > columns),
        [],
      );
    }
    const narrow = lineOf(await printed(80), 'anthropic.claude-3-5-haiku-20241022-v1:0');
    assert.deepEqual(narrow?.trim().split(/ {2,}/).slice(1), ['200k', '0.8', '4', 'cites; legacy']);
    assert.equal(await printed(undefined), await printed(400));
  });

  it('gives a program all that is known', async () => {
    const { models } = JSON.parse(await printed(undefined, { json: true })) as { models: readonly ListedModel[] };
    assert.deepEqual(models, JSON.parse(JSON.stringify(await listModels())));
    const titan = models.find(({ id }) => id === 'amazon.titan-embed-text-v2:0');
    assert.deepEqual([titan?.maxInputTokens, titan?.textsPerRequest, titan?.usdPerMillionInputTokens], [8192, 1, 0.02]);
    assert.match(titan?.pricesAsOf ?? '', /^20\d\d-\d\d$/);
  });
});
