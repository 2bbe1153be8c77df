import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { packZip, unpackZip } from './zip-archive.js';

const everything = { matches: () => true, maxBytes: 1_000_000 };

/** A ZIP file of one deflated part that may declare another size than it has. */
function deflated(path: string, content: Uint8Array, declaredSize = content.length): Buffer {
  const packed = deflateRawSync(content);
  const name = Buffer.from(path);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(declaredSize, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, packed]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.alloc(2), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

describe('unpackZip', () => {
  it('unpacks what packZip packs, and deflated parts', () => {
    const parts = new Map([
      ['a/日本.xml', Buffer.from('one')],
      ['b', Buffer.from('')],
    ]);
    const unpacked = unpackZip(packZip(parts), 'x.zip', everything);
    assert.deepEqual(
      [...unpacked].map(([path, data]) => [path, Buffer.from(data).toString()]),
      [
        ['a/日本.xml', 'one'],
        ['b', ''],
      ],
    );
    const content = Buffer.from('text '.repeat(1000));
    assert.deepEqual(unpackZip(deflated('c', content), 'x.zip', everything).get('c'), content);
  });

  it('unpacks only what is asked for', () => {
    const parts = unpackZip(
      packZip(
        new Map([
          ['a', Buffer.from('x')],
          ['b', Buffer.from('y')],
        ]),
      ),
      'x',
      { ...everything, matches: (path) => path === 'b' },
    );
    assert.deepEqual([...parts.keys()], ['b']);
  });

  it('refuses archives that unpack to too much, or to more than they declare', () => {
    const bomb = Buffer.alloc(2_000_000);
    assert.throws(() => unpackZip(deflated('a', bomb), 'bomb.docx', everything), {
      code: 'too-large',
      message: /^bomb\.docx unpacks to more/,
    });
    assert.throws(() => unpackZip(deflated('a', bomb, 10), 'liar.docx', everything), {
      code: 'invalid-document',
      message: /does not unpack to the size/,
    });
    assert.throws(() => unpackZip(deflated('a', Buffer.from('x'), 10), 'x', everything), { code: 'invalid-document' });
  });

  it('refuses damaged archives, wherever they are cut or changed', () => {
    const whole = deflated('part.xml', Buffer.from('some text that is long enough to be packed'));
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => unpackZip(whole.subarray(0, length), 'x', everything), { code: 'invalid-document' });
    }
    for (let offset = 0; offset < whole.length; offset++) {
      const changed = Buffer.from(whole);
      changed[offset]! ^= 0xff;
      try {
        unpackZip(changed, 'x', everything);
      } catch (error) {
        assert.match(String((error as { code?: unknown }).code), /^(?:invalid-document|too-large)$/, `byte ${offset}`);
      }
    }
  });
});
