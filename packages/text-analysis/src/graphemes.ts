import type { TextSpan } from './sentences.js';

/** How far around a cut is looked. A grapheme cluster longer than this (a letter with hundreds of accents) may be cut. */
const neighbourhood = 256;

// Made when a cut first needs it: it takes some 15 ms, and a search that cuts nothing starts sooner without.
let segmenter: Intl.Segmenter | undefined;
const clustersOf = (text: string): Intl.Segments => {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return segmenter.segment(text);
};

/**
 * The last place at or before `offset`, and behind `from`, where a text can be cut without dividing a character that
 * people see as one (a grapheme cluster: letter and accents, flag, family emoji, CR LF). `from` must itself be such a place;
 * it is returned where there is no other. Offsets are UTF-16.
 *
 * Looks only at the neighbourhood of the cut: 256 code units on each side, and the whole run where a run of flags
 * has to be counted from its beginning. A longer cluster is cut between code points. A surrogate pair is never divided.
 *
 * @example
 * graphemeCut('e\u0301a', 1); // 0: the accent belongs to the e
 */
export function graphemeCut(text: string, offset: number, from = 0): number {
  if (offset >= text.length) return text.length;
  if (offset <= from) return from;
  if (isPlain(text.charCodeAt(offset - 1)) && isPlain(text.charCodeAt(offset))) return offset;
  let start = offset - 1;
  while (start > from && !(isPlain(text.charCodeAt(start - 1)) && isPlain(text.charCodeAt(start)))) {
    if (offset - start >= neighbourhood && !isRegionalIndicator(text, start)) break;
    start -= 1;
  }
  start = codePointCut(text, start);
  const segment = clustersOf(text.slice(start, offset + neighbourhood)).containing(offset - start);
  const cut = start + (segment?.index ?? 0);
  return cut > from ? cut : longClusterCut(text, offset, from, start);
}

/**
 * The grapheme clusters of a short range, which must begin and end between two of them. White space at its end belongs to the last.
 */
export function graphemeSpans(text: string, { start, end }: TextSpan): TextSpan[] {
  const spans: TextSpan[] = [];
  let from = start;
  for (const { segment } of clustersOf(text.slice(start, end).trimEnd())) {
    spans.push({ start: from, end: from + segment.length });
    from += segment.length;
  }
  if (from < end) spans.push({ start: spans.pop()?.start ?? start, end });
  return spans;
}

/** Where one cluster fills all of the text behind `from`: `from`, unless it is too long to be kept whole. */
function longClusterCut(text: string, offset: number, from: number, start: number): number {
  return start > from || offset - from >= neighbourhood ? codePointCut(text, offset) : from;
}

/** `offset`, or the place before it where it would divide a surrogate pair. */
export function codePointCut(text: string, offset: number): number {
  const divides =
    offset > 0 &&
    offset < text.length &&
    (text.charCodeAt(offset) & 0xfc00) === 0xdc00 &&
    (text.charCodeAt(offset - 1) & 0xfc00) === 0xd800;
  return divides ? offset - 1 : offset;
}

/** Characters between two of which there is always a boundary: ASCII but for CR and LF, kana, CJK ideographs. */
function isPlain(unit: number): boolean {
  if (unit < 0x7f) return unit >= 0x20;
  return (unit >= 0x3001 && unit <= 0x3029) || (unit >= 0x3041 && unit <= 0x3096) || (unit >= 0x30a1 && unit <= 0x9fff);
}

/** Flags are pairs of these, so that a cut depends on how many of them stand before it. */
function isRegionalIndicator(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit === 0xd83c) return (text.charCodeAt(index + 1) & 0xffe0) === 0xdde0;
  return (unit & 0xffe0) === 0xdde0 && text.charCodeAt(index - 1) === 0xd83c;
}
