import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Block } from '@aquifer/contracts';
import { decodeBlocks, encodeBlocks } from './stored-blocks.js';

const [first, second] = [
  { start: 40, end: 60 },
  { start: 300, end: 320 },
];
const blocks: readonly Block[] = [
  { kind: 'heading', start: 0, end: 5, level: 1 },
  { kind: 'paragraph', start: 7, end: 30 },
  { kind: 'table-row', ...first, header: first },
  { kind: 'table-row', start: 61, end: 90, header: first },
  { kind: 'table-row', start: 91, end: 120, header: first },
  { kind: 'table-row', start: 122, end: 150 },
  { kind: 'table-row', start: 151, end: 180, header: first },
  { kind: 'list-item', start: 182, end: 200, level: 3 },
  { kind: 'table-row', ...second, header: second },
  { kind: 'table-row', start: 321, end: 330, header: first },
  { kind: 'table-row', start: 331, end: 340, header: second },
  { kind: 'code', start: 342, end: 360 },
];

describe('stored blocks', () => {
  it('are read as they were written, whatever headers rows have', () => {
    assert.deepEqual(decodeBlocks(encodeBlocks(blocks)), blocks);
    assert.deepEqual(decodeBlocks(encodeBlocks([])), []);
  });

  it('are read as they were written, however many', () => {
    const header = { start: 0, end: 10 };
    const rows = Array.from({ length: 10_000 }, (_, row) => ({
      kind: 'table-row' as const,
      start: row * 11,
      end: row * 11 + 10,
      header,
    }));
    const json = encodeBlocks(rows);
    assert.ok(json.length < rows.length * 16, `${json.length} characters`);
    assert.deepEqual(decodeBlocks(json), rows);
  });

  it('are read as objects, too, as they were stored once', () => {
    assert.deepEqual(decodeBlocks(JSON.stringify(blocks)), blocks);
    assert.deepEqual(decodeBlocks('[]'), []);
  });
});
