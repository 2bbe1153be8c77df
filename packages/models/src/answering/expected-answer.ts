/** What text can answer a question: a date for "when", a number of weeks for "how many weeks". */
export interface ExpectedAnswer {
  /** The kind that is asked for, with its unit of measure where the question names or implies one. */
  readonly exact: RegExp;
  /** What may still be the answer: a bare number where a number of days is asked for. */
  readonly loose?: RegExp;
  /** The question's word for what is measured, such as torque: a quantity of that kind says it without the word. */
  readonly measured?: string;
  /** A number that stands in a table's column answers, because the column's name says what it counts. */
  readonly isNumber: boolean;
}

const month =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const day = '(?:mon|tues?|wednes|thurs?|fri|satur|sun)days?';
const numeral =
  '(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundreds?|thousands?|millions?|billions?|half|quarter|dozens?|once|twice)';
const date = `\\b\\d{3,4}s?\\b|\\b${month}\\b|\\b${day}\\b|\\b\\d{1,2}(?:st|nd|rd|th)\\b|century|\\b\\d{1,2}(?::\\d\\d| ?[ap]\\.?m)`;
const number = `\\d|\\b${numeral}\\b`;
const duration = '(?:second|minute|hour|day|week|month|year|decade|centur)';
const length =
  '(?:characters?|letters|digits|pages?|words|miles?|(?:kilo|centi|milli)?met(?:re|er)s?|feet|foot|inch|[ckm]?m\\b)';
const quantity = (unit: string) => `(?:${number})[^.|]{0,20}?(?:\\b|(?<=\\d))${unit}`;
const money =
  '[$€£¥]\\s?\\d|\\b(?:USD|EUR|GBP|JPY)\\s?\\d|\\d[\\d.,]*\\s*(?:dollars?|euros?|pounds?|yen|USD|EUR|GBP|JPY|million|billion)';
const percent = '\\d\\s*(?:%|per ?cent)';
const name = '(?<=[\\p{L}\\d,;)|]\\s|["“(])\\p{Lu}\\p{L}+';
const reason =
  '\\b(?:because|due to|since|so that|in order to|as a result|caused?|reasons?|therefore|owing to|thanks to)\\b';
const numberJapanese = '[\\d一二三四五六七八九十百千万億]';
const spanJapanese = '(?:歳|[かカヶケ箇]月|月|週間?|日間?|時間|分間?|年間?|世紀)';

/** What is measured, and the units of it. */
const measures: readonly (readonly [measured: RegExp, unit: string])[] = [
  [/\btorque\b/i, '(?:N\\s?m\\b|newton)'],
  [/\b(?:weight|mass)\b|\bhow heavy\b/i, '(?:k?g\\b|mg\\b|(?:kilo)?grams?|tons?|tonnes?|pounds?|lbs?\\b)'],
  [/\btemperature\b|\bhow (?:hot|cold|warm)\b/i, '(?:°|degrees|kelvin)'],
  [/\b(?:speed|velocity)\b|\bhow fast\b/i, '(?:km/h|mph|m/s|knots|miles|kilomet)'],
  [/\bvoltage\b/i, '(?:k?V\\b|volts?)'],
  [/\bpressure\b/i, '(?:[hkM]?Pa\\b|m?bar\\b|psi)'],
  [/\bpower\b(?= (?:does|do|is|consumption|rating))/i, '(?:[kmM]?W\\b|(?:kilo|mega)?watts?)'],
  [/\b(?:distance|altitude|elevation)\b|\bhow (?:far|tall|high|deep|wide)\b/i, length],
  [/\b(?:percentage|percent)\b/i, '(?:%|per ?cent)'],
];

type Expectation = readonly [question: RegExp, exact: string, loose?: string, isNumber?: boolean];

/** The first pattern that matches the question decides. */
const expectations: readonly Expectation[] = [
  [/\bhow long (?:must|should|may|can|shall) [^?]*\bbe\b/i, quantity(length), quantity(duration), true],
  [/\bhow (?:long|old)\b|\b(?:notice|retention) period\b/i, quantity(`(?:${duration}|${length})`), number, true],
  [/\bhow much\b/i, `${money}|${percent}`, number, true],
  [/\bhow expensive\b|\b(?:price|costs?|fee|salary|budget|amount|allowance|revenue|turnover)\b/i, money, number, true],
  [/\bhow (?:many|often|far|big|large|high|tall|deep|fast)\b|\b(?:number of|population)\b/i, number, undefined, true],
  [
    /^\W*(?:\w+ )?when\b|\b(?:and|since|until) when\b|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b|\bdeadline\b|\bhow (?:late|early|soon)\b/i,
    date,
  ],
  [
    /\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:country|city|state|person|company|team|river|island|king|president|author|region|continent|organi[sz]ation|university)\b/i,
    name,
  ],
  [/\bwhy\b|\breasons?\b/i, reason],
  [/いつまで/u, `${numberJapanese}+${spanJapanese}|[月火水木金土日]曜`],
  [
    /いつ|何(?:年(?!間)|月|日(?!間)|時(?!間)|世紀)|期限|締め?切/u,
    `${numberJapanese}+(?:年|月|日|時|世紀)|[月火水木金土日]曜|\\d-\\d\\d`,
  ],
  [/いくら|何円|料金|金額|費用|値段/u, `${numberJapanese}+(?:円|万|億|ドル|ユーロ)|[¥$€]\\d|無料`, undefined, true],
  [
    /ど(?:の|れ)(?:くらい|ぐらい|ほど)の?(?:期間|時間)|何時間|何日間|何年間/u,
    `${numberJapanese}+${spanJapanese}`,
    numberJapanese,
    true,
  ],
  [/いくつ|何歳|ど(?:の|れ)(?:くらい|ぐらい|ほど)|何割|何(?:パーセント|%)/u, numberJapanese, undefined, true],
  [/誰|だれ|何者|人物/u, '氏|さん|様|長|\\p{Script=Katakana}{3,}|[^\\p{P}\\s]{2,4}(?=は|が|によ|に[、,])'],
  [/どこ|どの(?:国|県|市|都市|地域|州|駅)|何(?:県|市|国|州)/u, '[県市区町村国州都道府島駅港]|\\p{Script=Katakana}{3,}'],
  [/なぜ|どうして|理由|原因/u, 'ため|ので|から|によ|理由|原因|せい'],
  // Questions that yes or no answers.
  [
    /^\W*(?:can|may|could|am|is|are|do|does|must|should|will) \w+/i,
    '^(?:yes|no)\\b',
    '\\b(?:may|can|must|not|never|allowed|permitted|possible)\\b',
  ],
  [
    /(?:できます|てもいいです|てもよいです|可能です|必要です|必要があります)か/u,
    '^(?:はい|いいえ)',
    'できる|できない|認め|可能|してもよい|必要|なければならない|ものとする',
  ],
];

/** Words between "how many" and what is counted, and where that ends. */
const counted =
  /\bhow many ((?:\p{L}[\p{L}-]*\s+){0,3}?\p{L}[\p{L}-]*)(?=\s+(?:do|does|did|is|are|was|were|can|could|may|must|should|will|would|have|has|had|of|in|per|to|on|for|at|that|which|an?|the|\p{L}+ed)\b|\s*[?,]|\s*$)/iu;
const counterJapanese =
  /何(週間|時間|[かカヶケ箇]月|文字|ページ|\p{Script=Katakana}+|[人個回枚台本冊件名種匹頭羽軒階歳条曲割点位分秒番倍戸%])/u;

/** What the question asks for; undefined where nothing is known. Names are told by their capitals, everything else whatever its case. */
export function expectedAnswer(question: string): ExpectedAnswer | undefined {
  // 何メートル asks for a number of metres, whatever the unit.
  const counter = counterJapanese.exec(question)?.[1];
  if (counter !== undefined) {
    const unit = /^[かカヶケ箇]月$/u.test(counter) ? '[かカヶケ箇]月' : counter;
    return { exact: new RegExp(`${numberJapanese}+[^、。|]{0,2}${unit}`, 'gu'), isNumber: true };
  }
  const noun = counted.exec(question)?.[1]?.split(/\s+/).at(-1);
  if (noun !== undefined) {
    const stem = noun.toLowerCase().replace(/(?:ies|es|s)$/u, '');
    return {
      exact: new RegExp(`(?:${number})[^.|]{0,25}?\\b${stem}`, 'giu'),
      loose: new RegExp(number, 'giu'),
      isNumber: true,
    };
  }
  for (const [asks, unit] of measures) {
    const measured = asks.exec(question)?.[0];
    if (measured === undefined) continue;
    return { exact: new RegExp(quantity(unit), 'giu'), loose: new RegExp(number, 'giu'), measured, isNumber: true };
  }
  const found = expectations.find(([asks]) => asks.test(question));
  if (found === undefined) return undefined;
  const [, exact, loose, isNumber = false] = found;
  const flags = exact === name ? 'gu' : 'giu';
  return { exact: new RegExp(exact, flags), ...(loose !== undefined && { loose: new RegExp(loose, flags) }), isNumber };
}

/** How well a text holds the expected kind: 2 exactly, 1 loosely, 0 not at all or only what the question holds already. */
export function holdsExpected(text: string, expected: ExpectedAnswer, question: string): 0 | 1 | 2 {
  const asked = question.toLowerCase();
  const holds = (pattern: RegExp | undefined): boolean => {
    if (pattern === undefined) return false;
    for (const match of text.matchAll(pattern)) if (!asked.includes(match[0].toLowerCase())) return true;
    return false;
  };
  return holds(expected.exact) ? 2 : holds(expected.loose) ? 1 : 0;
}
