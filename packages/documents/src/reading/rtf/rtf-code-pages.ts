/** Encodings of the WHATWG Encoding Standard for the code pages of Windows and the Macintosh. */
const labels: ReadonlyMap<number, string> = new Map([
  [866, 'ibm866'],
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gb18030'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [1361, 'euc-kr'],
  [10000, 'macintosh'],
  [10001, 'shift_jis'],
  [10002, 'big5'],
  [10003, 'euc-kr'],
  [10007, 'x-mac-cyrillic'],
  [10008, 'gb18030'],
  [20932, 'euc-jp'],
  [51932, 'euc-jp'],
  [54936, 'gb18030'],
  [65001, 'utf-8'],
  ...Array.from({ length: 9 }, (_, index) => [1250 + index, `windows-${1250 + index}`] as const),
]);

/** Code pages of the character sets that fonts name (Rich Text Format 1.9.1, "Font Table"). */
const charsets: ReadonlyMap<number, number> = new Map([
  [0, 1252],
  [77, 10000],
  [78, 932],
  [79, 949],
  [80, 936],
  [81, 950],
  [128, 932],
  [129, 949],
  [130, 1361],
  [134, 936],
  [136, 950],
  [161, 1253],
  [162, 1254],
  [163, 1258],
  [177, 1255],
  [178, 1256],
  [186, 1257],
  [204, 1251],
  [222, 874],
  [238, 1250],
]);

/** Characters of fonts such as Symbol and Wingdings stand for pictures. */
export const symbolCharset = 2;

export function codePageOfCharset(charset: number): number | undefined {
  return charsets.get(charset);
}

const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

/** Text of bytes in a Windows code page; of one that is not known here, in that of Western languages. */
export function decodeCodePage(bytes: Uint8Array, codePage: number): string {
  const label = labels.get(codePage) ?? 'windows-1252';
  let decoder = decoders.get(label);
  if (!decoder) {
    decoder = new TextDecoder(label);
    decoders.set(label, decoder);
  }
  return decoder.decode(bytes);
}
