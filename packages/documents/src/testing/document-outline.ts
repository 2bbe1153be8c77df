import assert from 'node:assert/strict';
import type { ExtractedDocument, Reader } from '@aquifer/contracts';

/** Reads bytes or text under a name, and checks what the contract promises of every document. */
export async function readSample(
  reader: Reader,
  content: string | Uint8Array,
  name = 'sample',
): Promise<ExtractedDocument> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const document = await reader.read({ bytes, name });
  const { text, blocks } = document;
  assert.doesNotMatch(text, /\p{Surrogate}|\r|\0/u);
  let position = 0;
  for (const block of blocks) {
    assert.match(text.slice(position, block.start), /^\s*$/, 'nothing stands between the blocks');
    assert.ok(block.start < block.end, 'no block is empty');
    if (block.header) assert.ok(block.header.end <= block.end);
    position = block.end;
  }
  assert.match(text.slice(position), /^\s*$/);
  return document;
}

/** One line a block: `heading 2: Leave`, `row of Country | Weeks: Japan | 52`. */
export function outline({ text, blocks }: ExtractedDocument): string[] {
  return blocks.map(({ kind, start, end, level, header }) => {
    const content = text.slice(start, end);
    if (kind !== 'table-row') return `${kind}${level === undefined ? '' : ` ${level}`}: ${content}`;
    if (!header) return `row: ${content}`;
    return header.start === start ? `header: ${content}` : `row of ${text.slice(header.start, header.end)}: ${content}`;
  });
}

export async function outlineOf(reader: Reader, content: string | Uint8Array, name?: string): Promise<string[]> {
  return outline(await readSample(reader, content, name));
}
