/** What a walk through RTF meets. */
export interface RtfHandlers {
  readonly open: () => void;
  readonly close: () => void;
  /** A control word, or a control symbol such as `~`. `parameter` is undefined where there is none. */
  readonly control: (word: string, parameter: number | undefined) => void;
  /** One byte of text, in the code page of the moment. */
  readonly byte: (byte: number, isEscaped: boolean) => void;
}

/** Words end after 32 letters (Rich Text Format 1.9.1, "Conventions of an RTF Reader"). */
const maxWordLength = 32;

const [openBrace, closeBrace, backslash, quote, minus, space, lineFeed, carriageReturn] = [
  0x7b, 0x7d, 0x5c, 0x27, 0x2d, 0x20, 0x0a, 0x0d,
];

/**
 * Goes through the tokens of an RTF file in one pass. Whatever the bytes, it ends, in time linear in their number; `shouldGoOn` is
 * asked now and then.
 */
export function walkRtf(bytes: Uint8Array, handlers: RtfHandlers, shouldGoOn: () => void): void {
  let position = 0;
  let nextCheck = 0;
  while (position < bytes.length) {
    if (position >= nextCheck) {
      shouldGoOn();
      nextCheck = position + 1_000_000;
    }
    const byte = bytes[position++]!;
    if (byte === openBrace) handlers.open();
    else if (byte === closeBrace) handlers.close();
    else if (byte === backslash) position = readControl(bytes, position, handlers);
    else if (byte !== lineFeed && byte !== carriageReturn && byte !== 0) handlers.byte(byte, false);
  }
}

/** Reads what stands behind a backslash; returns where it ends. */
function readControl(bytes: Uint8Array, start: number, handlers: RtfHandlers): number {
  let position = start;
  const first = bytes[position];
  if (first === undefined) return position;
  if (!isLetter(first)) {
    position++;
    if (first === quote) {
      const value = Number.parseInt(String.fromCharCode(bytes[position] ?? 0, bytes[position + 1] ?? 0), 16);
      if (isHexDigit(bytes[position]) && isHexDigit(bytes[position + 1])) {
        handlers.byte(value, true);
        return position + 2;
      }
      return position;
    }
    if (first === openBrace || first === closeBrace || first === backslash) handlers.byte(first, false);
    else if (first === lineFeed || first === carriageReturn) handlers.control('par', undefined);
    else handlers.control(String.fromCharCode(first), undefined);
    return position;
  }
  let word = '';
  for (let letter = first; isLetter(letter) && word.length < maxWordLength; letter = bytes[++position] ?? 0) {
    word += String.fromCharCode(letter);
  }
  let parameter: number | undefined;
  const isNegative = bytes[position] === minus && isDigit(bytes[position + 1]);
  let end = isNegative ? position + 1 : position;
  if (isDigit(bytes[end])) {
    parameter = 0;
    while (isDigit(bytes[end])) parameter = Math.min(parameter * 10 + bytes[end++]! - 0x30, 2 ** 31);
    if (isNegative) parameter = -parameter;
    position = end;
  }
  if (bytes[position] === space) position++;
  // Raw bytes follow, which may be braces.
  if (word === 'bin') return position + Math.max(0, parameter ?? 0);
  handlers.control(word, parameter);
  return position;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
