/**
 * What can be checked letter by letter in a sentence: numbers, dates, times and identifiers, in English, Japanese and
 * Chinese notation. Full-width digits, thousands separators, ordinals, era years and 万 are all the same number.
 */
export interface Facts {
  /** In plain decimal notation. */
  readonly numbers: ReadonlySet<string>;
  readonly dates: readonly PartialDate[];
  /** Minutes after midnight. */
  readonly times: ReadonlySet<number>;
  /** Letters and digits in one word, such as `err-42`, folded. */
  readonly identifiers: ReadonlySet<string>;
}

/** What a text says of a date. A day and month in either order (`4/1/2025`) gives two of them with the same `group`. */
export interface PartialDate {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  readonly group: number;
}

/** The facts that `text` claims. */
export function claimedFacts(text: string): Facts {
  return readFacts(text).facts;
}

/**
 * The facts that `text` can be evidence for: those that it claims, parts of dates, numbers in words (`two`, 二), hours with
 * or without am and pm.
 */
export function evidentFacts(text: string): Facts {
  const { facts, rest, hoursOfTwelve } = readFacts(text);
  const numbers = new Set(facts.numbers);
  for (const { year, month, day } of facts.dates) {
    for (const part of [year, month, day]) if (part !== undefined) numbers.add(String(part));
  }
  for (const [word] of rest.matchAll(wordedNumber)) {
    const value = word.split(/[\s-]+/).reduce((sum, part) => sum + (numberWords.get(part) ?? 0), 0);
    numbers.add(String(value));
  }
  for (const [, digits] of rest.matchAll(kanjiNumber)) numbers.add(String(parseGrouped(digits!)));
  for (const [word] of rest.matchAll(monthAlone)) numbers.add(String(monthNumber(word)));
  for (const minutes of facts.times) {
    if (minutes % 60 === 0) numbers.add(String(minutes / 60));
  }
  return { ...facts, numbers, times: new Set([...facts.times, ...hoursOfTwelve]) };
}

/** The facts of several texts together. */
export function joinFacts(parts: readonly Facts[]): Facts {
  return {
    numbers: new Set(parts.flatMap(({ numbers }) => [...numbers])),
    dates: parts.flatMap(({ dates }) => dates),
    times: new Set(parts.flatMap(({ times }) => [...times])),
    identifiers: new Set(parts.flatMap(({ identifiers }) => [...identifiers])),
  };
}

/** What of `claimed` is not in `evident`, as text for people. Empty: all of it is there. */
export function missingFacts(claimed: Facts, evident: Facts, foldedEvidence: string): string[] {
  const missing = [...claimed.numbers].filter((number) => !evident.numbers.has(number));
  const groups = new Map<number, PartialDate[]>();
  for (const date of claimed.dates) groups.set(date.group, [...(groups.get(date.group) ?? []), date]);
  for (const readings of groups.values()) {
    if (!readings.some((date) => hasDate(date, evident))) missing.push(dateText(readings[0]!));
  }
  for (const minutes of claimed.times) {
    if (!evident.times.has(minutes))
      missing.push(`${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`);
  }
  for (const identifier of claimed.identifiers)
    if (indexOfWhole(foldedEvidence, identifier) < 0) missing.push(identifier);
  return missing;
}

/** Whether `evident` has any of `claimed`. */
export function sharesFact(claimed: Facts, evident: Facts, foldedEvidence: string): boolean {
  return (
    [...claimed.numbers].some((number) => evident.numbers.has(number)) ||
    claimed.dates.some((date) => hasDate(date, evident)) ||
    [...claimed.times].some((minutes) => evident.times.has(minutes)) ||
    [...claimed.identifiers].some((identifier) => indexOfWhole(foldedEvidence, identifier) >= 0)
  );
}

/** A part that the evidence's date leaves open, such as the year, may stand elsewhere in it, such as in the title. */
function hasDate(date: PartialDate, evident: Facts): boolean {
  return evident.dates.some((other) =>
    (['year', 'month', 'day'] as const).every((part) => {
      const wanted = date[part];
      if (wanted === undefined || other[part] === wanted) return true;
      return other[part] === undefined && part === 'year' && evident.numbers.has(String(wanted));
    }),
  );
}

function dateText({ year, month, day }: PartialDate): string {
  return [year, month, day].filter((part) => part !== undefined).join('-');
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const monthPattern =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const monthAlone = new RegExp(`(?<![a-z])${monthPattern}(?![a-z])`, 'g');

function monthNumber(name: string): number {
  return months.indexOf(name.slice(0, 3)) + 1;
}

/** First year of each era, minus one. */
const eras: Readonly<Record<string, number>> = { 令和: 2018, 平成: 1988, 昭和: 1925, 大正: 1911, 明治: 1867 };

interface DatePattern {
  readonly pattern: RegExp;
  readonly read: (groups: readonly (string | undefined)[]) => readonly Omit<PartialDate, 'group'>[];
}

const optional = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const eraYear = (era: string | undefined, year: string | undefined) =>
  year === undefined ? undefined : (era === undefined ? 0 : eras[era]!) + (year === '元' ? 1 : Number(year));

const datePatterns: readonly DatePattern[] = [
  {
    pattern: /(?<!\d)(\d{4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})(?!\d)/g,
    read: ([year, month, day]) => [{ year: Number(year), month: Number(month), day: Number(day) }],
  },
  {
    pattern:
      /(?:(令和|平成|昭和|大正|明治)?\s*(\d{1,4}|元)\s*[年년]\s*)?(?<!\d)(\d{1,2})\s*[月월](?!\s*(?:間|号|まで\d))(?:\s*(\d{1,2})\s*[日号일])?/g,
    read: ([era, year, month, day]) =>
      year === undefined && day === undefined
        ? []
        : [{ year: eraYear(era, year), month: Number(month), day: optional(day) }],
  },
  {
    pattern: new RegExp(
      `(?<!\\d)(\\d{1,2})(?:st|nd|rd|th)?\\s+(?:of\\s+)?(${monthPattern})(?![a-z])\\.?(?:,?\\s+(\\d{4})(?!\\d))?`,
      'g',
    ),
    read: ([day, month, year]) => [{ year: optional(year), month: monthNumber(month!), day: Number(day) }],
  },
  {
    pattern: new RegExp(
      `(?<![a-z])(${monthPattern})\\.?\\s+(\\d{1,2})(?:st|nd|rd|th)?(?![\\d.:])(?:,?\\s+(\\d{4})(?!\\d))?`,
      'g',
    ),
    read: ([month, day, year]) => [{ year: optional(year), month: monthNumber(month!), day: Number(day) }],
  },
  {
    pattern: new RegExp(`(?<![a-z])(${monthPattern})\\.?,?\\s+(\\d{4})(?!\\d)`, 'g'),
    read: ([month, year]) => [{ year: Number(year), month: monthNumber(month!) }],
  },
  {
    pattern: /(?<![\d/])(\d{1,2})\/(\d{1,2})\/(\d{4})(?![\d/])/g,
    read: ([first, second, year]) => [
      { year: Number(year), month: Number(first), day: Number(second) },
      { year: Number(year), month: Number(second), day: Number(first) },
    ],
  },
];

const time =
  /(?<![\d:])(?:(午前|午後|上午|下午)\s*)?(\d{1,2})(?::(\d{2})(?::\d{2})?\s*(?:([ap])\.?\s?m\b\.?)?|\s*([ap])\.?\s?m\b\.?|\s*時(?!間)(?:\s*(\d{1,2})\s*分|(半))?)(?!\d)/g;
const identifier = /(?<![a-z0-9_-])(?:[a-z][a-z_-]*\d(?:[a-z0-9_.-]*[a-z0-9])?)/g;
const grouped = /(?<![\d.])(?:\d[\d,]*(?:\.\d+)?[兆億万千百十]+)+(?:\d+)?(?!\d)/g;
const number = /\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]\d)|\d+(?:\.\d+)*/g;
const scale = /^\s?(thousand|million|billion)(?![a-z])/;
const scales: Readonly<Record<string, number>> = { thousand: 1e3, million: 1e6, billion: 1e9 };
const listNumber = /^[ \t]*\d{1,3}[.)]\s/gm;

function readFacts(text: string): { facts: Facts; rest: string; hoursOfTwelve: number[] } {
  // "may" in lower case is the verb: "level 3 may apply" is not the third of May.
  let rest = text
    .normalize('NFKC')
    .replace(/\bmay\b/g, 'might')
    .toLowerCase()
    .replace(listNumber, ' ');
  const dates: PartialDate[] = [];
  let group = 0;
  for (const { pattern, read } of datePatterns) {
    rest = rest.replace(pattern, (whole: string, ...groups: unknown[]) => {
      const captured = groups.slice(
        0,
        groups.findIndex((item) => typeof item === 'number'),
      ) as (string | undefined)[];
      const readings = read(captured).filter(isPossible);
      if (readings.length === 0) return whole;
      for (const reading of readings) dates.push({ group, ...reading });
      group++;
      return ' ; ';
    });
  }
  const times = new Set<number>();
  const hoursOfTwelve: number[] = [];
  rest = rest.replace(time, (whole: string, half, hour, minute, meridiem, alone, kanjiMinute, halfHour) => {
    const minutes = Number(minute ?? kanjiMinute ?? (halfHour ? 30 : 0));
    const mark = meridiem ?? alone ?? (half === undefined ? undefined : /[前上]/.test(half) ? 'a' : 'p');
    if (Number(hour) > 24 || minutes > 59) return whole;
    const isAfternoon = mark === 'p' && Number(hour) < 12;
    const hours = isAfternoon ? Number(hour) + 12 : mark === 'a' && Number(hour) === 12 ? 0 : Number(hour);
    times.add(hours * 60 + minutes);
    if (mark !== undefined) hoursOfTwelve.push(Number(hour) * 60 + minutes);
    return ' ; ';
  });
  const identifiers = new Set<string>();
  rest = rest.replace(identifier, (word) => {
    identifiers.add(foldForSearch(word));
    return ' ; ';
  });
  const numbers = new Set<string>();
  const withoutGroups = rest.replace(grouped, (whole) => {
    numbers.add(String(parseGrouped(whole.replaceAll(',', ''))));
    return ' ; ';
  });
  for (const match of withoutGroups.matchAll(number)) {
    const factor = scale.exec(withoutGroups.slice(match.index + match[0].length, match.index + match[0].length + 12));
    const plain = plainNumber(match[0]);
    numbers.add(factor ? String(Math.round(Number(plain) * scales[factor[1]!]! * 1e6) / 1e6) : plain);
  }
  return { facts: { numbers, dates, times, identifiers }, rest, hoursOfTwelve };
}

function isPossible({ month, day }: Omit<PartialDate, 'group'>): boolean {
  return (month === undefined || (month >= 1 && month <= 12)) && (day === undefined || (day >= 1 && day <= 31));
}

/** Without separators, leading zeros, and zeros at the end of a fraction; versions such as 1.2.0 stay as they are. */
function plainNumber(text: string): string {
  const digits = text.replaceAll(',', '');
  const [whole, fraction, ...more] = digits.split('.');
  if (more.length > 0) return digits;
  const short = fraction?.replace(/0+$/, '') ?? '';
  return `${whole!.replace(/^0+(?=\d)/, '')}${short === '' ? '' : `.${short}`}`;
}

const kanjiDigits = '〇一二三四五六七八九';
const units: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1_000 };
const bigUnits: Readonly<Record<string, number>> = { 万: 1e4, 億: 1e8, 兆: 1e12 };
/** Kanji numerals count as numbers before a counter only: 一般 is no number. The look-behind keeps the time linear. */
const kanjiNumber =
  /(?<![〇一二三四五六七八九十百千万億兆])([〇一二三四五六七八九十百千万億兆]{1,24})(?=\s*(?:か月|ヶ月|ヵ月|カ月|箇月|日|年|月|週|時|分|秒|円|元|人|名|回|度|つ|割|倍|歳|才|冊|個|台|階|号|章|条|項|件|社|種|点|段|箇|か所|ヶ所|％|%|パーセント|天|次))/g;

/** Digits and kanji units together: 3億5千万, 1万2000, 二十五. */
function parseGrouped(text: string): number {
  let [total, section, digits] = [0, 0, ''];
  const current = (otherwise: number) => (digits === '' ? otherwise : Number(digits));
  for (const character of text) {
    const digit = kanjiDigits.indexOf(character);
    if (digit >= 0) digits += digit;
    else if (units[character] !== undefined) {
      section += current(1) * units[character];
      digits = '';
    } else if (bigUnits[character] !== undefined) {
      total += (section + current(section === 0 ? 1 : 0)) * bigUnits[character];
      section = 0;
      digits = '';
    } else digits += character;
  }
  return Math.round((total + section + current(0)) * 1e6) / 1e6;
}

const ones =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const ordinals = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ');
const numberWords: ReadonlyMap<string, number> = new Map([
  ...ones.map((word, index): [string, number] => [word, index]),
  ...tens.map((word, index): [string, number] => [word, 20 + 10 * index]),
  ...ordinals.map((word, index): [string, number] => [word, index + 1]),
  ['once', 1],
  ['twice', 2],
  ['dozen', 12],
  ['hundred', 100],
]);
const wordedNumber = new RegExp(
  `(?<![a-z])(?:(?:${tens.join('|')})[\\s-](?:${ones.slice(1, 10).join('|')})|${[...numberWords.keys()].join('|')})(?![a-z])`,
  'g',
);

/** Text as facts and quotations are looked up in it: NFKC, lower case, one kind of quotes, no white space. */
export function foldForSearch(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cf}]+/gu, '')
    .replace(/[“”„‟«»]/g, '"')
    .replace(/[‘’‚‛]/g, "'");
}

/** Where `wanted` is in `text`, both folded, without cutting a number in two: "52 weeks" is not in "152 weeks". Else −1. */
export function indexOfWhole(text: string, wanted: string): number {
  const startsInNumber = /^\d/.test(wanted) ? /\d[.,]?$/ : undefined;
  const endsInNumber = /\d$/.test(wanted) ? /^[.,]?\d/ : undefined;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    const isCut =
      startsInNumber?.test(text.slice(Math.max(0, at - 2), at)) || endsInNumber?.test(text.slice(end, end + 2));
    if (!isCut) return at;
  }
  return -1;
}

/** What `text` puts in quotation marks or code, without punctuation at the ends. Where words are left out (…), the parts. */
export function quotedWords(text: string): string[] {
  const quoted: string[] = [];
  for (const match of text.matchAll(
    /[“„"«]([^“”„"«»\n]{2,400})[”“"»]|「([^「」\n]{2,400})」|『([^『』\n]{2,400})』|`([^`\n]{1,400})`/g,
  )) {
    const content = match.slice(1).find((part) => part !== undefined)!;
    for (const part of content.split(/…|\.{3,}|\[[^\]]*\]/)) {
      const words = part.replace(/^[\s.,;:!?。、，；：！？]+|[\s.,;:!?。、，；：！？]+$/g, '');
      if (words !== '') quoted.push(words);
    }
  }
  return quoted;
}
