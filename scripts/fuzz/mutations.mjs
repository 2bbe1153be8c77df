// What happens to files on bad disks, in cut-off downloads and at the hands of people who mean it.
import { deflateSync, inflateSync } from 'node:zlib';
import { packZip, unpackZip } from '../../packages/documents/dist/reading/zip-archive.js';

/** Strings that parsers stumble over. */
const tokens = [
  '\0',
  '\xff\xff\xff\xff',
  '\x80',
  '\xef\xbb\xbf',
  '\xff\xfe',
  '\xed\xa0\x80',
  '\u2028',
  '\r',
  '<',
  '>',
  '</',
  '<!--',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE a [<!ENTITY b "&b;">]>',
  '&#xD800;',
  '&#0;',
  '&b;',
  '<p>',
  '</w:p>',
  '<w:tbl>',
  '<table>',
  '"',
  "'",
  '""',
  ',',
  '\t',
  '{',
  '}',
  '[',
  ']',
  '\\',
  '\\u',
  '\\bin99999999 ',
  '\\ud800',
  '---\n',
  '```\n',
  '| ',
  '%PDF-1.7',
  'endobj',
  'endstream',
  '5 0 obj',
  '3 0 R',
  '<<',
  '>>',
  '/Kids',
  '/Length -1',
  '1e999',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  'NaN',
  '__proto__',
  'constructor',
  'PK\x03\x04',
  '--one',
  '=?',
  '?=',
  '\x1b$B',
  'A'.repeat(5_000),
  '('.repeat(2_000),
  '['.repeat(2_000),
  '<div>'.repeat(1_000),
  '{"a":'.repeat(1_000),
];

/** @returns {Buffer} One change, or up to four, to a copy of the seed. */
export function mutate(random, seed, others) {
  let bytes = Buffer.from(seed);
  const isFixed = ['\xd0\xcf\x11\xe0', 'BM'].some((start) => bytes.toString('latin1', 0, start.length) === start);
  const isZip = bytes.subarray(0, 4).equals(Buffer.from('PK\x03\x04'));
  for (let left = random.pick([1, 1, 1, 2, 3, 4]); left > 0; left--) {
    const inner = random.next() < 0.6;
    if (isFixed && random.next() < 0.8) bytes = overwrite(random, bytes);
    else if (isZip && inner) bytes = mutatePart(random, bytes, others);
    else if (inner && bytes.subarray(0, 5).equals(Buffer.from('%PDF-'))) bytes = mutateStream(random, bytes, others);
    else bytes = mutateBytes(random, bytes, others);
  }
  return bytes;
}

function mutateBytes(random, bytes, others) {
  if (bytes.length === 0) return Buffer.from(random.pick(tokens), 'latin1');
  const at = random.below(bytes.length);
  const length = 1 + random.below(Math.min(bytes.length - at, random.next() < 0.5 ? 16 : 4_096));
  const insert = (piece) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  switch (random.below(9)) {
    case 0: {
      const copy = Buffer.from(bytes);
      for (let count = 1 + random.below(16); count > 0; count--)
        copy[random.below(copy.length)] ^= 1 << random.below(8);
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      for (let count = 1 + random.below(8); count > 0; count--)
        copy[random.below(copy.length)] = random.pick([0, 0x7f, 0x80, 0xff, random.below(256)]);
      return copy;
    }
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return insert(bytes.subarray(at, at + length));
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 5: {
      const other = random.pick(others);
      const from = random.below(Math.max(1, other.length));
      return insert(other.subarray(from, from + length));
    }
    case 6:
      return insert(Buffer.from(random.pick(tokens), 'latin1'));
    case 7:
      return replaceNumber(random, bytes, at);
    default: {
      // The same piece many times: counts that grow, nesting that deepens.
      const piece = bytes.subarray(at, at + Math.min(length, 200));
      return insert(Buffer.concat(Array(1 + random.below(200)).fill(piece)));
    }
  }
}

/** A change that leaves everything in its place, for files in which offsets rule. */
function overwrite(random, bytes) {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  switch (random.below(4)) {
    case 0:
      copy[at] ^= 1 << random.below(8);
      break;
    case 1:
      copy.writeUInt32LE(
        random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, random.below(4_096)]),
        Math.max(0, Math.min(copy.length - 4, at & ~3)),
      );
      break;
    case 2:
      copy.copyWithin(at, random.below(copy.length), random.below(copy.length));
      break;
    default:
      copy.write(random.pick(tokens).slice(0, 64), at, 'latin1');
  }
  return copy;
}

function replaceNumber(random, bytes, from) {
  const isDigit = (byte) => byte >= 0x30 && byte <= 0x39;
  let start = from;
  while (start < bytes.length && !isDigit(bytes[start])) start++;
  let end = start;
  while (end < bytes.length && isDigit(bytes[end])) end++;
  const number = random.pick([
    '0',
    '-1',
    '1',
    '255',
    '65536',
    '2147483648',
    '4294967295',
    '99999999999999999999',
    '1.5',
    '',
  ]);
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(number), bytes.subarray(end)]);
}

/** Changes a part of an archive and packs it again with right checksums, so that the change reaches the reader of the part. */
function mutatePart(random, bytes, others) {
  let parts;
  try {
    parts = new Map(unpackZip(bytes, 'seed', { matches: () => true, maxBytes: 2 ** 24 }));
  } catch {
    return mutateBytes(random, bytes, others);
  }
  if (parts.size === 0) return mutateBytes(random, bytes, others);
  const path = random.pick([...parts.keys()]);
  const part = Buffer.from(parts.get(path));
  switch (random.below(12)) {
    case 0:
      parts.delete(path);
      break;
    case 1:
      parts.set(random.pick([...parts.keys()]), part);
      break;
    case 2:
      parts.delete(path);
      parts.set(random.pick(['../../x.xml', '/etc/x', '', 'word/document.xml', path.toUpperCase(), `${path}\0`]), part);
      break;
    case 3:
    case 4:
    case 5:
    case 6:
      parts.set(path, mutateElement(random, part));
      break;
    default:
      parts.set(path, mutateBytes(random, part, others));
  }
  return packZip(parts);
}

/** Repeats, moves or drops an element, or changes its text, and leaves the XML around it well-formed. */
function mutateElement(random, part) {
  const xml = part.toString('utf8');
  const elements = [...xml.matchAll(/<([\w:.-]+)(?:\s[^<>]*)?(?:\/>|>[^<]*<\/\1>)/g)];
  if (elements.length === 0) return part;
  const { 0: element, index } = random.pick(elements);
  const [before, after] = [xml.slice(0, index), xml.slice(index + element.length)];
  const text = random.pick(tokens).replace(/[<&>]/g, '').replaceAll('\0', '');
  switch (random.below(5)) {
    case 0:
      return Buffer.from(before + element.repeat(1 + random.below(50)) + after);
    case 1:
      return Buffer.from(before + after);
    case 2: {
      const other = random.pick(elements);
      return Buffer.from(before + other[0] + after);
    }
    case 3:
      return Buffer.from(before + element.replace(/="[^"]*"/, () => `="${text.replaceAll('"', '')}"`) + after);
    default:
      return Buffer.from(before + element.replace(/>[^<]*</, () => `>${text}<`) + after);
  }
}

/** Changes a stream of a PDF inside of its compression. */
function mutateStream(random, bytes, others) {
  const text = bytes.toString('latin1');
  const streams = [...text.matchAll(/\/FlateDecode[\s\S]{0,200}?stream\r?\n/g)];
  if (streams.length === 0) return mutateBytes(random, bytes, others);
  const match = random.pick(streams);
  const start = match.index + match[0].length;
  const end = text.indexOf('endstream', start);
  if (end < 0) return mutateBytes(random, bytes, others);
  try {
    const unpacked = inflateSync(bytes.subarray(start, end), { maxOutputLength: 2 ** 22 });
    const packed = deflateSync(mutateBytes(random, unpacked, others));
    return Buffer.concat([bytes.subarray(0, start), packed, Buffer.from('\n'), bytes.subarray(end)]);
  } catch {
    return mutateBytes(random, bytes, others);
  }
}
