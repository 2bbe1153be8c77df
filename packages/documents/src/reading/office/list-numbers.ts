const roman: readonly (readonly [value: number, letters: string])[] = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
];

const aiueo = 'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン';
const iroha = 'イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン';
const kanjiDigits = '〇一二三四五六七八九';

/** Numbers beyond are shown as digits: no list of letters is that long. */
const maxLetters = 780;

/** A number as lists print it (ECMA-376 part 1, 17.18.59); as digits where the format is not known here. */
export function formatListNumber(value: number, format: string): string {
  const digits = String(value);
  if (format === 'decimalZero') return digits.padStart(2, '0');
  if (format === 'ordinal') return ordinal(value);
  if (value < 1) return digits;
  switch (format) {
    case 'decimalFullWidth':
    case 'decimalFullWidth2':
      return digits.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
    case 'decimalEnclosedCircle':
    case 'decimalEnclosedCircleChinese':
      return value <= 20 ? String.fromCharCode(0x245f + value) : digits;
    case 'lowerLetter':
      return letters(value);
    case 'upperLetter':
      return letters(value).toUpperCase();
    case 'lowerRoman':
      return romanNumber(value);
    case 'upperRoman':
      return romanNumber(value).toUpperCase();
    case 'aiueo':
    case 'aiueoFullWidth':
      return aiueo[value - 1] ?? digits;
    case 'iroha':
    case 'irohaFullWidth':
      return iroha[value - 1] ?? digits;
    case 'japaneseCounting':
    case 'japaneseDigitalTenThousand':
    case 'chineseCounting':
    case 'chineseCountingThousand':
    case 'taiwaneseCounting':
    case 'taiwaneseCountingThousand':
      return kanjiNumber(value);
    case 'ideographDigital':
      return digits.replace(/\d/g, (digit) => kanjiDigits[Number(digit)]!);
    default:
      return digits;
  }
}

/** As in English. */
function ordinal(value: number): string {
  const isTeen = Math.floor((value % 100) / 10) === 1;
  return `${value}${(!isTeen && ['th', 'st', 'nd', 'rd'][value % 10]) || 'th'}`;
}

/** a to z, then aa, bb and so on. */
function letters(value: number): string {
  if (value > maxLetters) return String(value);
  return String.fromCharCode(0x61 + ((value - 1) % 26)).repeat(Math.ceil(value / 26));
}

function romanNumber(value: number): string {
  if (value >= 4000) return String(value);
  let rest = value;
  let text = '';
  for (const [size, letter] of roman) {
    for (; rest >= size; rest -= size) text += letter;
  }
  return text;
}

function kanjiNumber(value: number): string {
  if (value > 99) return String(value);
  const [tens, ones] = [Math.floor(value / 10), value % 10];
  const ten = tens === 0 ? '' : `${tens === 1 ? '' : kanjiDigits[tens]}十`;
  return ten + (ones === 0 ? '' : kanjiDigits[ones]!);
}
