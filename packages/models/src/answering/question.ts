import type { Analyser } from '@aquifer/contracts';

/** What a question asks about, and what an answer to it should hold. */
export interface Question {
  /** Weight of each term before its rarity counts. */
  readonly terms: ReadonlyMap<string, number>;
  /** Matches text that can be the answer: a date for "when", a number for "how many". Undefined where nothing is known. */
  readonly expected: RegExp | undefined;
}

/**
 * How much the kinds of terms say about the subject of a question. Halving or doubling any of them changes the share of
 * right first quotations by 0.3 points at most (`node bench/answers.mjs`).
 */
const kindWeights = {
  word: 1,
  /** A name inside an English sentence, or a number: what the question is about. */
  name: 1.3,
  /** "country" in "which country": the kind of the answer, which the answer rarely says. */
  answerKind: 0.4,
  /** Bigrams of Japanese and Chinese: of kanji, katakana, letters and digits; with one hiragana, mostly inflection; of hiragana only, grammar. */
  contentBigram: 1,
  mixedBigram: 0.4,
  grammarBigram: 0.05,
} as const;

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const hiragana = /\p{Script=Hiragana}/gu;

/** Words of a question that say how to answer it, not what it is about. */
const askingWords =
  /\b(?:how (?:many|much|long|old|often|far|big|large|high|tall|deep|fast|late|early|soon|do|does|did|can|should)|what (?:is|are|was|were|does|do|did)|(?:what|which) (?:kind|type|sort)s? of|(?:what|which)|name of|please|tell me|explain|describe|according to)\b/giu;
/** Case tells "may" from May. */
const modals = /\b(?:must|may|might|shall)\b|^\s*M(?:ay|ust)\b/gu;
const askingWordsJapanese =
  /何(?:です|でし)|(?:です|ます|でした|ました|でしょう)か|どのくらい|どれくらい|どのような|どんな|どうして|どうやって|なぜ|いくら|いくつ|どこ|いつ|だれ|誰|どれ|どの|どう|(?:教えて|おしえて)(?:ください|下さい)?|もらえ|できます/gu;

/** Reads a question in English or Japanese. Other languages lose the hints and nothing else. */
export function readQuestion(question: string, analyser: Analyser): Question {
  const terms = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const term of analyser.terms(text)) {
      const value = cjk.test(term) ? weight * bigramWeight(term) : weight;
      terms.set(term, Math.max(value, terms.get(term) ?? 0));
    }
  };
  const normal = question.normalize('NFKC');
  const subject = normal.replace(askingWords, ' ').replace(modals, ' ').replace(askingWordsJapanese, ' ');
  add(subject, kindWeights.word);
  // "How long?" alone is about nothing else.
  if (terms.size === 0) add(normal, kindWeights.word);
  const names = subject.match(/(?<=[\p{Ll}\p{N},;'’]\s)\p{Lu}[\p{L}\p{N}'’-]*|\p{N}[\p{N}.,]*/gu) ?? [];
  for (const name of names) {
    for (const term of analyser.terms(name)) if (terms.has(term) && !cjk.test(term)) terms.set(term, kindWeights.name);
  }
  const kind =
    /\b(?:what|which)\s+(?:(?:kind|type|sort)s? of\s+|(?:is|are|was|were) the\s+(?=\p{L}+ (?:of|for)\b))?(\p{L}+)/iu.exec(
      normal,
    )?.[1] ?? '';
  for (const term of analyser.terms(kind)) if (terms.has(term)) terms.set(term, kindWeights.answerKind);
  return { terms, expected: expectedAnswer(normal) };
}

function bigramWeight(term: string): number {
  const count = term.match(hiragana)?.length ?? 0;
  if (count === 0) return kindWeights.contentBigram;
  return count === [...term].length ? kindWeights.grammarBigram : kindWeights.mixedBigram;
}

const month =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const day = '(?:mon|tues?|wednes|thurs?|fri|satur|sun)days?';
const numeral =
  '(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|hundreds?|thousands?|millions?|billions?|half|quarter|dozens?|once|twice)';
const date = `\\b\\d{3,4}s?\\b|\\b${month}\\b|\\b${day}\\b|\\b\\d{1,2}(?:st|nd|rd|th)\\b|century|\\b\\d{1,2}(?::\\d\\d| ?[ap]\\.?m)`;
const number = `\\d|\\b${numeral}\\b`;
const span = `(?:${number})[^.]{0,20}\\b(?:second|minute|hour|day|week|month|year|decade|centur|character|letter|page|word|mile|(?:kilo|centi)?met(?:re|er)|feet|km)`;
const money = '[$€£¥]\\s?\\d|\\d[\\d.,]*\\s*(?:%|percent|dollars?|euros?|pounds?|yen|USD|EUR|JPY|million|billion)';
const name = '(?<=[\\p{L}\\d,;)]\\s|["“(])\\p{Lu}\\p{L}+';
const reason =
  '\\b(?:because|due to|since|so that|in order to|as a result|caused?|reasons?|therefore|owing to|thanks to)\\b';
const numberJapanese = '[\\d一二三四五六七八九十百千万億]';

/** The first pattern that matches the question decides. Names are told by their capitals, everything else whatever its case. */
const expectations: readonly (readonly [question: RegExp, answer: RegExp])[] = [
  [/\bhow (?:long|old)\b|\b(?:notice|retention) period\b/i, new RegExp(span, 'iu')],
  [/\bhow (?:much|expensive)\b|\b(?:price|cost|fee|salary|budget|amount)\b/i, new RegExp(`${money}|${number}`, 'iu')],
  [
    /\bhow (?:many|often|far|big|large|high|tall|deep|fast)\b|\b(?:percentage|percent|number of|population)\b/i,
    new RegExp(number, 'iu'),
  ],
  [
    /\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade|time)\b|\bdeadline\b|\bhow (?:late|early|soon)\b/i,
    new RegExp(date, 'iu'),
  ],
  [
    /\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:country|city|state|person|company|team|river|island|king|president|author|region|continent|organi[sz]ation|university)\b/i,
    new RegExp(name, 'u'),
  ],
  [/\bwhy\b|\breasons?\b/i, new RegExp(reason, 'iu')],
  [
    /いつ|何(?:年(?!間)|月|日(?!間)|時(?!間)|世紀)|期限|締め?切/u,
    new RegExp(`${numberJapanese}+(?:年|月|日|時|世紀)|[月火水木金土日]曜`, 'u'),
  ],
  [/いくら|何円|料金|金額|費用|値段/u, new RegExp(`${numberJapanese}+(?:円|万|億|ドル|ユーロ)|[¥$€]\\d|無料`, 'u')],
  [
    /いくつ|何歳|ど(?:の|れ)(?:くらい|ぐらい|ほど)|何割|何(?:パーセント|%)|何時間|何日間|何年間/u,
    new RegExp(numberJapanese, 'u'),
  ],
  [/誰|だれ|何者|人物/u, /氏|さん|様|長|\p{Script=Katakana}{3,}|[^\p{P}\s]{2,4}(?=は|が|によ|に[、,])/u],
  [/どこ|どの(?:国|県|市|都市|地域|州|駅)|何(?:県|市|国|州)/u, /[県市区町村国州都道府島駅港]|\p{Script=Katakana}{3,}/u],
  [/なぜ|どうして|理由|原因/u, /ため|ので|から|によ|理由|原因|せい/u],
];

function expectedAnswer(question: string): RegExp | undefined {
  // 何メートル asks for a number of metres, whatever the unit.
  const counter = /何(\p{Script=Katakana}+|[人個回枚台本冊件名種匹頭羽軒階歳条曲割点位分秒番倍戸%])/u.exec(
    question,
  )?.[1];
  if (counter !== undefined) return new RegExp(`${numberJapanese}+[^、。]{0,2}${counter}`, 'u');
  return expectations.find(([asks]) => asks.test(question))?.[1];
}
