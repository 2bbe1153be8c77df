/**
 * Text as bytes of any encoding that `TextDecoder` knows, by looking up what every byte and pair of bytes means. For tests.
 *
 * @throws where the encoding does not have a character.
 */
export function encodeText(text: string, label: string): Buffer {
  if (label === 'utf-8') return Buffer.from(text, 'utf8');
  if (label === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (label === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  if (label.startsWith('utf-32')) return encodeUtf32(text, label === 'utf-32le');
  if (label === 'iso-2022-jp') return encodeIso2022Jp(text);
  const codes = codesOf(label);
  const parts = Array.from(text, (character) => {
    const code = codes.get(character);
    if (code === undefined) throw new Error(`${label} has no ${character}`);
    return code;
  });
  return Buffer.from(parts.flat());
}

const known = new Map<string, ReadonlyMap<string, readonly number[]>>();

function codesOf(label: string): ReadonlyMap<string, readonly number[]> {
  let codes = known.get(label) as Map<string, readonly number[]> | undefined;
  if (codes) return codes;
  codes = new Map();
  const decoder = new TextDecoder(label, { fatal: true });
  const add = (bytes: readonly number[]) => {
    try {
      const character = decoder.decode(Uint8Array.from(bytes));
      if (Array.from(character).length === 1 && !codes!.has(character)) codes!.set(character, bytes);
    } catch {
      // No character.
    }
  };
  for (let byte = 0; byte < 256; byte++) add([byte]);
  if (label === 'windows-1252') {
    for (const [index, character] of Array.from('€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ').entries()) {
      codes.set(character, [0x80 + index]);
    }
  }
  for (let lead = 0x81; lead <= 0xfe; lead++) for (let trail = 0x30; trail <= 0xfe; trail++) add([lead, trail]);
  known.set(label, codes);
  return codes;
}

function encodeUtf32(text: string, littleEndian: boolean): Buffer {
  const characters = Array.from(text);
  const bytes = Buffer.alloc(characters.length * 4);
  for (const [index, character] of characters.entries()) {
    const code = character.codePointAt(0)!;
    if (littleEndian) bytes.writeUInt32LE(code, index * 4);
    else bytes.writeUInt32BE(code, index * 4);
  }
  return bytes;
}

/** JIS X 0208 is EUC-JP without the high bits, between escapes. */
function encodeIso2022Jp(text: string): Buffer {
  const parts = text.split(/([^\0-\x7f]+)/).map((part, index) => {
    if (index % 2 === 0) return part;
    const bytes = encodeText(part, 'euc-jp').map((byte) => byte & 0x7f);
    return `\x1b$B${Buffer.from(bytes).toString('latin1')}\x1b(B`;
  });
  return Buffer.from(parts.join(''), 'latin1');
}
