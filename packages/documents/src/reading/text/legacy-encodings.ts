/**
 * How likely bytes are as text of an encoding: a model of the writing that people use the encoding for, one number a
 * character. Rough frequencies do, because a wrong encoding gives characters that nobody writes.
 */
export interface LegacyEncoding {
  /** Label of the WHATWG Encoding Standard. */
  readonly label: string;
  /** Logarithm of the likelihood of the bytes that are not ASCII, in nats. ASCII letters count as neighbours. */
  readonly logLikelihood: (bytes: Uint8Array) => number;
}

/** Of a byte that the encoding does not have. Finite, so that one damaged byte does not decide. */
const invalid = -20;

// --- Two bytes a character: Japanese, Chinese, Korean.

interface CharacterClass {
  /** Share of the characters beyond ASCII that are of this class, and how many different ones there are. */
  readonly share: number;
  readonly size: number;
  readonly holds: (character: string, lead: number, trail: number) => boolean;
}

const oneOf = (characters: string, share: number): CharacterClass => {
  const set = new Set(characters);
  return { share, size: set.size, holds: (character) => set.has(character) };
};
const between = (first: string, last: string, share: number, size: number): CharacterClass => ({
  share,
  size,
  holds: (character) => character >= first && character <= last,
});
/** Where a national standard keeps the characters that are used most. */
const rows = (first: number, last: number, leastTrail: number, share: number, size: number): CharacterClass => ({
  share,
  size,
  holds: (_, lead, trail) => lead >= first && lead <= last && trail >= leastTrail,
});
const anything = (share: number, size: number): CharacterClass => ({ share, size, holds: () => true });

const simplified =
  '的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应';
const traditional =
  '的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應';
const japanese =
  '日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住真有口少町料工建空急止送切転研足究店病質待族銀早親験英医仕去味写字答夜音注古買図週室紙花青館色習駅議録株式製所名部課';
const korean =
  '이다는의에고가을지은로하한기사도를서리인자어나아시대해정수그있일들전스으부보제장만게라원상구면니여과것조우적비안소성신주동연공선경국계관개미유생실방분물무회세중모여문화내위속발본당교학거요습할까했되된';
const chinesePunctuation = '，。、：；？！“”（）《》—…「」『』';

const shiftJis = doubleByte(
  'shift_jis',
  [
    oneOf('、。「」（）・ー', 0.1),
    between('ぁ', 'ん', 0.42, 70),
    between('ァ', 'ヶ', 0.14, 75),
    oneOf(japanese, 0.2),
    rows(0x88, 0x97, 0x40, 0.12, 2700),
    rows(0x81, 0x83, 0x40, 0.008, 400),
    rows(0x98, 0xea, 0x40, 0.008, 3400),
    anything(0.0005, 2000),
  ],
  [0xa1, 0xdf, Math.log(0.002 / 63)],
);
const eucJp = doubleByte('euc-jp', [
  oneOf('、。「」（）・ー', 0.1),
  between('ぁ', 'ん', 0.42, 70),
  between('ァ', 'ヶ', 0.14, 75),
  oneOf(japanese, 0.2),
  rows(0xb0, 0xcf, 0xa1, 0.12, 2700),
  rows(0xa1, 0xa8, 0xa1, 0.008, 400),
  rows(0xd0, 0xf4, 0xa1, 0.008, 3400),
  anything(0.0005, 2000),
]);
const gb18030 = doubleByte('gb18030', [
  oneOf(chinesePunctuation, 0.1),
  oneOf(simplified, 0.42),
  rows(0xb0, 0xd7, 0xa1, 0.44, 3755),
  rows(0xa1, 0xa9, 0xa1, 0.004, 700),
  rows(0xd8, 0xf7, 0xa1, 0.015, 3008),
  anything(0.002, 14_000),
]);
const big5 = doubleByte('big5', [
  oneOf(chinesePunctuation, 0.1),
  oneOf(traditional, 0.42),
  rows(0xa4, 0xc6, 0x40, 0.44, 5401),
  rows(0xa1, 0xa3, 0x40, 0.004, 400),
  rows(0xc9, 0xf9, 0x40, 0.015, 7652),
  anything(0.0005, 4000),
]);
const eucKr = doubleByte('euc-kr', [
  oneOf(korean, 0.55),
  rows(0xb0, 0xc8, 0xa1, 0.42, 2350),
  rows(0xa1, 0xac, 0xa1, 0.01, 900),
  rows(0xca, 0xfd, 0xa1, 0.004, 4888),
  anything(0.002, 8822),
]);

function doubleByte(
  label: string,
  classes: readonly CharacterClass[],
  single?: readonly [first: number, last: number, logProbability: number],
): LegacyEncoding {
  let table: Float32Array | undefined;
  return {
    label,
    logLikelihood(bytes) {
      table ??= pairTable(label, classes);
      let sum = 0;
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index]!;
        if (byte < 0x80) continue;
        if (single && byte >= single[0] && byte <= single[1]) {
          sum += single[2];
          continue;
        }
        const pair = index + 1 < bytes.length ? table[byte * 256 + bytes[index + 1]!]! : 0;
        sum += pair === 0 ? invalid : pair;
        if (pair !== 0) index++;
      }
      return sum;
    },
  };
}

/** Log-probability of every pair of bytes; 0 for pairs that are no character. */
function pairTable(label: string, classes: readonly CharacterClass[]): Float32Array {
  const table = new Float32Array(65_536);
  const pairs: number[] = [];
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) if (trail !== 0x7f) pairs.push(lead * 256 + trail);
  }
  const bytes = Uint8Array.from(pairs.flatMap((pair) => [pair >> 8, pair & 0xff, 0x0a]));
  const characters = new TextDecoder(label).decode(bytes).split('\n');
  for (const [index, pair] of pairs.entries()) {
    const character = characters[index] ?? '';
    // One character: what is no pair becomes U+FFFD, alone or before the second byte.
    if (Array.from(character).length !== 1 || /[\ufffd\p{Co}]/u.test(character)) continue;
    const group = classes.find(({ holds }) => holds(character, pair >> 8, pair & 0xff));
    if (group) table[pair] = Math.log(group.share / group.size);
  }
  return table;
}

// --- One byte a character.

interface Alphabet {
  /** Lower-case letters beyond ASCII, the most common first; for scripts without case all letters. */
  readonly letters: string;
  /** Letters of the alphabet stand beside ASCII letters in words, as accented ones do. */
  readonly isLatin: boolean;
}

const western: Alphabet = { letters: 'éäüöàèóíáçñßãåøæêùôúâîëûïìòœýõÿðþ', isLatin: true };
const central: Alphabet = { letters: 'áéíóöüęěąžčřłőšýżśćúűńůäźňđťďôăâîșțşţ', isLatin: true };
const turkish: Alphabet = { letters: 'ıüşğöçâîû', isLatin: true };
const baltic: Alphabet = { letters: 'ėšāīųįžčēąęūļņģķõäöü', isLatin: true };
const cyrillic: Alphabet = { letters: 'оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъіёїєјћђґўљњџ', isLatin: false };
const greek: Alphabet = { letters: 'αοιετσνρυκηπμςλωάίέγόήδύχθφώβξζψϊϋΐΰ', isLatin: false };
const hebrew: Alphabet = { letters: 'יוהלאתמרבשנכקדחפעגטסזצםןךץףְִֵֶַָֹּ', isLatin: false };
const arabic: Alphabet = { letters: 'ايلمنوترهبدسعكقفحشجةىصخأطئءذضزغثؤإآظپچژگکیًٌٍَُِّْ', isLatin: false };
const thai: Alphabet = { letters: 'านรกอ่เ้งมยลัวดีทิตสปบุหคแพชำจะใู็ไขื์โผถึฉธศซฟณฎภษญฐฆฝฬฌฑฏฒฮฯๆฤ', isLatin: false };

/** Beyond ASCII and no letters, but usual in any text. */
const usualSymbols = new Set('’“”–—…«»„‘€§°·•№¿¡©®\u00a0');

/** @param prior Logarithm: how common files in this encoding are, beside windows-1252. */
function singleByte(label: string, { letters, isLatin }: Alphabet, prior: number): LegacyEncoding {
  const ratio = isLatin ? 0.92 : 0.9;
  const lower = new Map(Array.from(letters, (letter, rank) => [letter, (1 - ratio) * ratio ** rank]));
  let table: { readonly kinds: Uint8Array; readonly logs: Float64Array } | undefined;
  const [other, asciiLetter, lowerLetter, upperLetter, symbol, rareAscii] = [0, 1, 2, 3, 4, 5];

  function build() {
    const kinds = new Uint8Array(256);
    const logs = new Float64Array(256);
    for (let byte = 0x41; byte <= 0x7a; byte++) {
      if (byte <= 0x5a || byte >= 0x61) kinds[byte] = asciiLetter;
    }
    // Second bytes of two seldom stand beside letters by themselves.
    for (const character of '@[\\]^_`{|}~') kinds[character.charCodeAt(0)] = rareAscii;
    for (let byte = 0x80; byte < 256; byte++) {
      const character = decodeSingleByte(Uint8Array.of(byte), label);
      const asLower = character.toLowerCase();
      const share = lower.get(character) ?? lower.get(asLower);
      if (share !== undefined) {
        const isUpper = !lower.has(character);
        kinds[byte] = isUpper ? upperLetter : lowerLetter;
        logs[byte] = Math.log(share * (isUpper ? 0.1 : 0.9) * (isLatin ? 0.06 : 1));
      } else {
        kinds[byte] = symbol;
        const isMissing = /[\ufffd\x80-\x9f\p{Cn}\p{Co}]/u.test(character);
        logs[byte] = isMissing ? invalid : usualSymbols.has(character) ? Math.log(0.002) : Math.log(0.000_02);
      }
    }
    return { kinds, logs };
  }

  return {
    label,
    logLikelihood(bytes) {
      table ??= build();
      const { kinds, logs } = table;
      let sum = prior;
      let before = other;
      let twoBefore = other;
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index]!;
        const kind = kinds[byte]!;
        if (byte >= 0x80) {
          sum += logs[byte]!;
          if (kind === symbol) {
            // Between letters stands an apostrophe at most.
            const isInWord = isLetter(before) && isLetter(kinds[bytes[index + 1] ?? 0]!);
            if (isInWord && byte !== 0x92 && byte !== 0xa0) sum -= 3;
          } else if (isLatin) {
            // Two letters with accents are neighbours seldom, three hardly ever.
            if (isOwn(before)) sum -= isOwn(twoBefore) ? 3.5 : 1;
            if (kind === upperLetter && before === lowerLetter) sum -= 4;
          } else {
            if (before === asciiLetter) sum -= 6;
            if (kind === upperLetter && before === lowerLetter) sum -= 5;
            // Inside a word in capitals.
            if (kind === upperLetter && before === upperLetter) sum += 2;
            if (kind === lowerLetter && before === upperLetter && twoBefore === upperLetter) sum -= 3;
          }
        } else if (kind === rareAscii ? isOwn(before) || before === symbol : kind === asciiLetter && isOwn(before)) {
          if (kind === rareAscii) sum -= 3;
          else if (!isLatin) sum -= 6;
        }
        twoBefore = before;
        before = kind;
      }
      return sum;
    },
  };

  function isOwn(kind: number): boolean {
    return kind === lowerLetter || kind === upperLetter;
  }
  function isLetter(kind: number): boolean {
    return kind === asciiLetter || isOwn(kind);
  }
}

/** What 0x80 to 0x9F are in windows-1252. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

export function decodeSingleByte(bytes: Uint8Array, label: string): string {
  if (label !== 'windows-1252') return new TextDecoder(label).decode(bytes);
  return withWindows1252(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}

/** Node's own decoder of windows-1252 gives control characters for 0x80 to 0x9F (seen in 20.20): here they are what they stand for. */
export function withWindows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80]!);
}

/** The encodings that are told apart by what the bytes would say, the most common first. */
export const legacyEncodings: readonly LegacyEncoding[] = [
  singleByte('windows-1252', western, 0),
  shiftJis,
  gb18030,
  eucKr,
  big5,
  eucJp,
  singleByte('windows-1251', cyrillic, -1),
  singleByte('windows-1250', central, -1),
  singleByte('windows-1253', greek, -2),
  singleByte('windows-1254', turkish, -2),
  singleByte('windows-1255', hebrew, -2),
  singleByte('windows-1256', arabic, -2),
  singleByte('windows-1257', baltic, -2),
  singleByte('windows-874', thai, -2),
  singleByte('koi8-u', cyrillic, -3),
  singleByte('iso-8859-2', central, -3),
  singleByte('iso-8859-5', cyrillic, -3),
  singleByte('iso-8859-7', greek, -3),
  singleByte('ibm866', cyrillic, -3),
  singleByte('macintosh', western, -4),
];
