import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSidecar } from './sidecar.js';

const parse = (value: unknown) =>
  parseSidecar(
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
    'a.pdf.metadata.json',
  );

describe('parseSidecar', () => {
  it('reads plain and typed values', () => {
    const metadata = parse({
      metadataAttributes: {
        department: 'People',
        year: 2025,
        current: true,
        country: ['NO', 'JP'],
        title: { value: { type: 'STRING', stringValue: 'Leave' }, includeForEmbedding: true },
        pages: { value: { type: 'NUMBER', numberValue: 5 } },
        secret: { value: { type: 'BOOLEAN', booleanValue: false } },
        tags: { value: { type: 'STRING_LIST', stringListValue: ['a'] } },
      },
    });
    assert.deepEqual(
      { ...metadata },
      {
        department: 'People',
        year: 2025,
        current: true,
        country: ['NO', 'JP'],
        title: 'Leave',
        pages: 5,
        secret: false,
        tags: ['a'],
      },
    );
    assert.deepEqual(parse('\ufeff{"metadataAttributes":{}}'), {});
  });

  it('names the file and the attribute in its errors', () => {
    const refuses = (value: unknown, message: RegExp) =>
      assert.throws(() => parse(value), { code: 'invalid-document', message });
    refuses('{', /^a\.pdf\.metadata\.json is not valid JSON/);
    refuses([], /object "metadataAttributes"/);
    refuses({ country: 'JP' }, /object "metadataAttributes"/);
    refuses({ metadataAttributes: { country: { type: 'STRING' } } }, /attribute "country" must be a value/);
    refuses(
      { metadataAttributes: { country: { value: { type: 'DATE', stringValue: 'x' } } } },
      /"country" must have one of the types STRING/,
    );
    refuses(
      { metadataAttributes: { country: { value: { type: 'toString' } } } },
      /"country" must have one of the types/,
    );
    refuses(
      { metadataAttributes: { year: { value: { type: 'NUMBER', numberValue: '2025' } } } },
      /"year" has the type NUMBER/,
    );
    refuses({ metadataAttributes: { list: { value: { type: 'STRING_LIST', stringListValue: [1] } } } }, /"list"/);
    refuses({ metadataAttributes: { none: null } }, /"none"/);
    assert.throws(() => parseSidecar(Uint8Array.of(0x7b, 0xff), 'x'), {
      code: 'invalid-document',
      message: /not UTF-8/,
    });
  });
});
