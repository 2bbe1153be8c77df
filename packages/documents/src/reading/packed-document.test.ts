import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWorthPacking, packDocument, packedBuffers, unpackDocument } from './packed-document.js';
import type { ReadDocument } from './reading-pool.js';
import { createTextBuilder } from './text-builder.js';

function readDocument(cell: string): ReadDocument {
  const builder = createTextBuilder();
  builder.beginPage(1);
  builder.append('heading', 'Leave', { level: 2 });
  builder.append('paragraph', `All of it: ${cell}`);
  builder.append('list-item', 'parental', { level: 1, startsGroup: true });
  const header = builder.append('table-row', 'Country | Weeks', { header: 'self' });
  for (const country of ['Japan', cell]) builder.append('table-row', `${country} | 52`, header && { header });
  builder.append('code', 'const weeks = 52;');
  return {
    ...builder.finish(),
    title: 'Leave',
    metadata: { year: 2025 },
    omissions: ['one picture'],
    mediaType: 'text/markdown',
  };
}

/** As it comes out of another thread. */
function sent(document: ReadDocument): ReadDocument {
  const packed = packDocument(document);
  return unpackDocument(structuredClone(packed, { transfer: packedBuffers(packed) }));
}

describe('packed documents', () => {
  for (const cell of ['Peru', 'Österreich', '日本 🗾', 'ł']) {
    it(`come out of another thread as they went in: ${cell}`, () => {
      const document = readDocument(cell);
      assert.deepEqual(sent(document), document);
    });
  }

  it('have one header object for all rows under it', () => {
    const [first, second] = sent(readDocument('Peru')).blocks.filter(
      ({ kind, start, header }) => kind === 'table-row' && header?.start !== start,
    );
    assert.ok(first?.header);
    assert.equal(first.header, second?.header);
  });

  it('are long ones only', () => {
    assert.equal(isWorthPacking(readDocument('Peru')), false);
    assert.equal(isWorthPacking(readDocument('Peru '.repeat(300_000))), true);
  });
});
