/** A part of a text, in UTF-16 offsets: `text.slice(start, end)`. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a text, or the part of it given by `range`, into sentences.
 *
 * The spans are in order, not empty, and cover the range without gaps: white space behind a sentence belongs to it,
 * white space at the beginning of the range to the first sentence. An empty range has no sentences; a range of nothing
 * but white space is one. Only characters inside the range are looked at.
 *
 * A sentence ends
 * - behind a terminator of any script (`. ! ? 。 ！ ？ । ؟ …`, Unicode's `Sentence_Terminal` up to U+FFFF), behind the closing brackets
 *   and quotes that follow it: 「はい。」 keeps its 」, and an opening 「 begins the next sentence;
 * - at an empty line, before a line that begins as a list item, table row or Markdown heading does, and at the end of a
 *   short line. A line of 40 columns or more that goes on, or whose next line begins in lower case, was wrapped.
 *
 * It does not end inside numbers, names and addresses (`3.14`, `example.org`), behind common English abbreviations
 * and initials (`Mr. Fig. 3 U.S. J. Smith`), before a lower-case letter or a comma, before 「…。」と, or behind a list number (`1. `).
 *
 * The rules are those of Unicode Standard Annex 29, part 5, with these corrections. They are written out here instead of asking
 * `Intl.Segmenter` because chunks, and with them every stored vector, depend on where sentences end: the answer must not
 * change with the runtime's ICU. Time is linear in the length of any text.
 *
 * @example
 * splitSentences('It rains. Dr. No stays in.');
 * // [{ start: 0, end: 10 }, { start: 10, end: 26 }]
 */
export function splitSentences(text: string, range?: TextSpan): TextSpan[] {
  const offset = Math.max(0, range?.start ?? 0);
  const source = range === undefined ? text : text.slice(offset, Math.max(offset, range.end));
  const candidate = new RegExp(candidates, 'g');
  const sentences: TextSpan[] = [];
  let start = 0;
  let lineStart = 0;
  const first = matchAt(whiteSpace, source, 0);
  candidate.lastIndex = first;
  for (let match = candidate.exec(source); match !== null; match = candidate.exec(source)) {
    const mark = match.index;
    const runEnd = matchAt(terminatorRun, source, mark);
    const isTerminator = runEnd > mark;
    if (!isTerminator && !lineBreaks.test(match[0])) continue;
    const closed = isTerminator ? closersEnd(source, runEnd) : mark;
    const next = matchAt(whiteSpace, source, closed);
    if (next >= source.length) break;
    const gap = source.slice(closed, next);
    const newline = gap.lastIndexOf('\n');
    const ends =
      hardBreak.test(gap) ||
      (newline >= 0 && lineBegin.test(source.slice(next, next + 8))) ||
      (isTerminator && endsSentence(source, mark, source.slice(mark, runEnd), closed, next, lineStart)) ||
      (newline >= 0 && !isTerminator && !isWrapped(source, lineStart, mark, next));
    if (ends) {
      sentences.push({ start: offset + start, end: offset + next });
      start = next;
    }
    if (newline >= 0) lineStart = closed + newline + 1;
    candidate.lastIndex = Math.max(next, closed);
  }
  if (start < source.length) sentences.push({ start: offset + start, end: offset + source.length });
  return sentences;
}

/**
 * Everything that may end a sentence or a line, and more: the ranges hold the terminators of other scripts. A short list of simple
 * ranges is found ten times as fast as the property itself.
 */
const candidates = /[.!?\n\r。！？｡．\u0589-\u2cfb\u2e2e-\u2e54\ua4ff-\uabeb\ufe12-\ufe57]/;
const terminatorRun = /\p{Sentence_Terminal}(?:[\p{Sentence_Terminal}\u2025\u2026]|\uFE0E|\uFE0F)*/uy;
const lineBreaks = /[\n\r\u2028\u2029]/;
const whiteSpace = /\s*/y;
/** An empty line, or Unicode's own paragraph and line separators. */
const hardBreak = /\n[^\S\n]*\n|[\u2028\u2029]/;
/** What a list item, table row, Markdown heading or quotation begins with. */
const lineBegin =
  /^(?:[-*+•‣◦・●○■□◆◇▪※–—>|#]|[([（]?(?:\d{1,3}|[A-Za-z]|[０-９]{1,3}|[①-⑳])(?:[.)\]）．、:]|(?<=[①-⑳])))/u;
/** A number, letter or Roman numeral that opens a line: the beginning of `1. First, …`. */
const listNumber = /^\s*[([（]?(?:[\d.]{1,8}|[０-９]{1,3}|[ivxIVX]{1,5}|[A-Za-z])$/;

const closing = /[\p{Pe}\p{Pf}]/u;
const quote = /["'`\p{Pi}]/u;
const wordBefore = /[\p{L}\p{N}.]+$/u;
const unicaseLetter = /[\p{Lo}\p{Lm}]/u;
const unicaseOrOpening = /[\p{Lo}\p{Ps}\p{Pi}]/u;
const lowerCase = /\p{Ll}/u;
const digitOrRoman = /^[\d０-９]|^[IVXLC]+\b/u;
const continues = /[,;:、，；：､]/;
const openers = /[\p{Ps}\p{Pi}"'*_]{0,8}/uy;
/** What may follow 「…。」 inside the same sentence: particles that quote, and commas. */
const quoting = /^(?:と(?!ころ|にかく|はいえ|きに|りわけ)|って|など|なんて|の|を|[、，])/u;

const neverEnding = words(
  'mr mrs ms mx dr prof gen col maj capt cpt lt sgt sen rep gov rev hon pres messrs mme mlle st mt ft vs viz cf e.g i.e eg ie ca approx resp incl',
);
const beforeNumbers = words(
  'fl no nos fig figs eq eqs sec sect ch chap vol vols p pp art tab ref refs par para app ver v vers nr op cap',
);
const beforeNames = words(
  'inc ltd co corp bros llc plc dept univ assn ave blvd rd jr sr ph.d m.d b.a m.a b.sc m.sc a.m p.m al est etc jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun ed eds trans',
);
/** Words that begin sentences and hardly ever continue a name: what decides behind `U.S.` or `Inc.`. */
const sentenceStarters =
  /^(?:The|This|That|These|Those|It|Its|In|On|At|As|By|For|From|He|She|We|They|You|His|Her|Their|Our|There|Here|But|And|Or|So|If|When|While|Where|After|Before|However|Although|Since|An?|Some|Most|Many|All|Each|No|Not|What|Who|Why|How|Is|Are|Was|Were|To|With)(?![\p{L}\p{N}.])/u;

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

/** Where the sticky pattern's match at `index` ends. */
function matchAt(pattern: RegExp, source: string, index: number): number {
  pattern.lastIndex = index;
  return pattern.test(source) ? pattern.lastIndex : index;
}

/**
 * Behind the closing brackets and quotes at `index`. A quote that could open as well (`"`, or “ which closes in German and
 * opens elsewhere) closes where nothing that could stand in quotes follows it.
 */
function closersEnd(source: string, index: number): number {
  let end = index;
  for (; end < source.length; end += 1) {
    const character = source[end]!;
    if (closing.test(character)) continue;
    if (!quote.test(character)) break;
    const following = source[end + 1];
    if (following !== undefined && !/[\s\p{Pe}\p{Pf}"'`.,;:!?。、]/u.test(following)) break;
  }
  return end;
}

/** Whether the sentence ends behind the terminators at `mark`, whose closing brackets end at `closed`; the next text is at `next`. */
function endsSentence(
  source: string,
  mark: number,
  terminators: string,
  closed: number,
  next: number,
  lineStart: number,
): boolean {
  const following = String.fromCodePoint(source.codePointAt(next)!);
  if (continues.test(following)) return false;
  const isPeriod = terminators === '.' || terminators === '．' || terminators === '\u2024';
  const isAscii = terminators.charCodeAt(terminators.length - 1) < 0x80 || isPeriod;
  if (!isAscii)
    return !(closed > mark + terminators.length && next === closed && quoting.test(source.slice(next, next + 4)));
  if (next === closed) {
    // No white space: `example.org`, `?query=1`, `3.14`; but scripts without case write `です.次`.
    return unicaseOrOpening.test(following) && (!isPeriod || unicaseLetter.test(source[mark - 1] ?? ''));
  }
  const word = matchAt(openers, source, next);
  if (lowerCase.test(String.fromCodePoint(source.codePointAt(word) ?? 0x20))) return false;
  if (!isPeriod) return true;
  if (mark - lineStart <= 10 && listNumber.test(source.slice(lineStart, mark))) return false;
  return !isAbbreviation(source, mark, word);
}

/** Whether the period at `mark` belongs to the word before it, and the word at `next` goes on with the sentence. */
function isAbbreviation(source: string, mark: number, next: number): boolean {
  const before = wordBefore.exec(source.slice(Math.max(0, mark - 14), mark))?.[0];
  if (before === undefined) return false;
  const name = before.toLowerCase();
  if (neverEnding.has(name)) return true;
  const following = source.slice(next, next + 12);
  if (beforeNumbers.has(name) || /^\p{Ll}$/u.test(before)) return digitOrRoman.test(following);
  const isInitial = /^(?:\p{Lu}\.)*\p{Lu}$/u.test(before);
  return (isInitial || beforeNames.has(name)) && !sentenceStarters.test(following);
}

/** Whether the line from `lineStart` to the newline at `end` goes on in the line whose text begins at `next`. */
function isWrapped(source: string, lineStart: number, end: number, next: number): boolean {
  if (lowerCase.test(source[next]!)) return true;
  const length = end - lineStart;
  if (length < 20) return false;
  if (length >= 40) return true;
  const wide = source
    .slice(lineStart, end)
    .match(/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/g);
  return length + (wide?.length ?? 0) >= 40;
}
