import type { Block } from '@aquifer/contracts';
import { codePointCut, graphemeCut, graphemeSpans, splitSentences, type TextSpan } from '@aquifer/text-analysis';
import { openSection, rootSection, type Section } from './sections.js';

/**
 * How good a place to cut is, before it is asked how the text around it looks. Higher is better; the level of a heading
 * (1 to 6) is subtracted from `heading`.
 */
export const cutLevel = {
  heading: 20,
  paragraph: 10,
  afterColon: 9,
  listItem: 8,
  tableRow: 7,
  emptyLine: 6,
  sentence: 5,
  clause: 4,
  word: 3,
  grapheme: 2,
  /** Behind a heading or a table's header row, which say what follows them. */
  afterHeading: 1,
  codePoint: 0,
} as const;

/** What a unit can still be divided into. */
export type UnitGrain = 'block' | 'code' | 'sentence' | 'fragment' | 'grapheme' | 'code-point';

/** A piece of the text that is not divided unless a chunk without it would not fit. */
export interface TextUnit extends TextSpan {
  /** How good a place to cut its beginning is. */
  readonly level: number;
  readonly grain: UnitGrain;
  readonly section: Section;
  readonly isHeading: boolean;
  /** Table rows that are not the header: the row that names the columns. */
  readonly header?: TextSpan | undefined;
}

/** The blocks of a document as units, one by one, for there may be a million. What no block covers counts as paragraphs. */
export function* documentUnits(text: string, blocks: readonly Block[]): Generator<TextUnit> {
  let section = rootSection();
  let previous: Block | undefined;
  for (const block of completeBlocks(text, blocks)) {
    const level = blockLevel(text, previous, block);
    const isHeading = block.kind === 'heading';
    if (isHeading) section = openSection(section, text, block);
    const header = block.header && block.header.end <= block.start ? block.header : undefined;
    const grain = block.kind === 'code' ? 'code' : 'block';
    yield { start: block.start, end: block.end, level, grain, section, isHeading, ...(header && { header }) };
    previous = block;
  }
}

/** The blocks that have text, clipped where they overlap, and paragraphs for text that lies in none. */
function* completeBlocks(text: string, blocks: readonly Block[]): Generator<Block> {
  let position = 0;
  for (const block of blocks) {
    const start = codePointCut(text, Math.max(position, block.start));
    const end = codePointCut(text, Math.min(text.length, block.end));
    if (end <= start) continue;
    yield* paragraphs(text, position, start);
    if (isVisible(text, start, end)) yield { ...block, start, end };
    position = end;
  }
  yield* paragraphs(text, position, text.length);
}

function* paragraphs(text: string, from: number, to: number): Generator<Block> {
  if (!isVisible(text, from, to)) return;
  const emptyLine = /\n[^\S\n]*\n\s*/g;
  emptyLine.lastIndex = from;
  let start = from;
  for (let match = emptyLine.exec(text); match && match.index < to; match = emptyLine.exec(text)) {
    const end = Math.min(to, emptyLine.lastIndex);
    if (isVisible(text, start, end)) yield { kind: 'paragraph', start, end };
    start = end;
  }
  if (isVisible(text, start, to)) yield { kind: 'paragraph', start, end: to };
}

/** Whether anything but white space is in the range. */
export function isVisible(text: string, start: number, end: number): boolean {
  const character = /\S/g;
  for (let index = start; index < end; index += 1024) {
    character.lastIndex = 0;
    if (character.test(text.slice(index, Math.min(end, index + 1024)))) return true;
  }
  return false;
}

function blockLevel(text: string, previous: Block | undefined, block: Block): number {
  if (previous === undefined) return cutLevel.paragraph;
  if (previous.kind === 'heading') return cutLevel.afterHeading;
  if (block.kind === 'heading') return cutLevel.heading - Math.min(6, Math.max(1, block.level ?? 1));
  if (block.kind === 'table-row' && block.header && block.header.start < block.start) {
    return previous.start === block.header.start ? cutLevel.afterHeading : cutLevel.tableRow;
  }
  if (block.kind === 'table-row' && previous.kind === 'table-row' && !block.header) return cutLevel.tableRow;
  if (block.kind === 'list-item' && previous.kind === 'list-item') {
    return cutLevel.listItem - Math.min(4, (block.level ?? 1) - 1) / 5;
  }
  const introduces = /[:：]\s*$/.test(text.slice(Math.max(previous.start, previous.end - 8), previous.end));
  return introduces ? cutLevel.afterColon : cutLevel.paragraph;
}

/** The smaller units that a unit consists of: at least two, or undefined where it cannot be divided. */
export function divideUnit(text: string, unit: TextUnit): TextUnit[] | undefined {
  switch (unit.grain) {
    case 'block': {
      const sentences = splitSentences(text, unit);
      return (
        assemble(unit, 'sentence', sentences, () => cutLevel.sentence) ??
        divideUnit(text, { ...unit, grain: 'sentence' })
      );
    }
    case 'code': {
      const lines = codeLines(text, unit);
      const level = ({ start }: TextSpan) => (isEmptyLineBefore(text, start) ? cutLevel.emptyLine : cutLevel.sentence);
      return assemble(unit, 'sentence', lines, level) ?? divideUnit(text, { ...unit, grain: 'sentence' });
    }
    case 'sentence': {
      const fragments = [...splitFragments(text, unit)];
      return (
        assemble(unit, 'fragment', fragments, (fragment) => fragment.level) ??
        divideUnit(text, { ...unit, grain: 'fragment' })
      );
    }
    case 'fragment': {
      const graphemes = graphemeSpans(text, unit);
      return (
        assemble(unit, 'grapheme', graphemes, () => cutLevel.grapheme) ??
        divideUnit(text, { ...unit, grain: 'grapheme' })
      );
    }
    case 'grapheme': {
      const codePoints = codePointSpans(text, unit);
      return assemble(unit, 'code-point', codePoints, () => cutLevel.codePoint);
    }
    case 'code-point':
      return undefined;
  }
}

function assemble<Span extends TextSpan>(
  unit: TextUnit,
  grain: UnitGrain,
  spans: readonly Span[],
  levelOf: (span: Span) => number,
): TextUnit[] | undefined {
  if (spans.length < 2) return undefined;
  return spans.map((span, index) => ({
    start: span.start,
    end: span.end,
    level: index === 0 ? unit.level : levelOf(span),
    grain,
    section: unit.section,
    isHeading: unit.isHeading,
    ...(unit.header && { header: unit.header }),
  }));
}

function codeLines(text: string, { start, end }: TextSpan): TextSpan[] {
  const lines: TextSpan[] = [];
  for (let from = start; from < end; ) {
    const newline = text.indexOf('\n', from);
    const to = newline < 0 || newline >= end ? end : newline + 1;
    lines.push({ start: from, end: to });
    from = to;
  }
  return lines;
}

function isEmptyLineBefore(text: string, start: number): boolean {
  return /\n[^\S\n]*\n$/.test(text.slice(Math.max(0, start - 80), start));
}

const shortestFragment = 12;
const longestFragment = 40;
const clauseEnd = /[,;:、，；：・…—–)\]}」』）】>|\t]/;
const space = /\s/;
const spaces = /\s*/y;
const hiragana = /[\u3041-\u3096ー]/;
const kanjiOrKatakana = /[\u30a1-\u30fa\u3400-\u9fff]/;

/** Cuts what is not to be cut any better: behind a clause, else between words, else between graphemes, every few words. */
function* splitFragments(text: string, { start, end }: TextSpan): Generator<TextSpan & { readonly level: number }> {
  let level: number = cutLevel.word;
  for (let from = start; from < end; ) {
    const limit = Math.min(end, from + longestFragment);
    let to = limit;
    let nextLevel: number = cutLevel.grapheme;
    for (let at = limit; limit < end && at >= from + shortestFragment; at -= 1) {
      const before = text[at - 1]!;
      const after = text[at]!;
      const isSpace = space.test(after);
      const isClause = clauseEnd.test(before) && (isSpace || before.charCodeAt(0) > 0x2000) && !clauseEnd.test(after);
      const isWord = isSpace || (kanjiOrKatakana.test(after) && hiragana.test(before));
      const found = isClause ? cutLevel.clause : isWord ? cutLevel.word : cutLevel.grapheme;
      if (found > nextLevel) {
        nextLevel = found;
        to = at;
        if (isClause) break;
      }
    }
    if (nextLevel === cutLevel.grapheme && to < end) {
      to = graphemeCut(text, limit, from);
      if (to <= from) to = nextGrapheme(text, from, end, longestFragment * 2);
    }
    spaces.lastIndex = to;
    spaces.test(text);
    to = Math.min(end, spaces.lastIndex);
    yield { start: from, end: to, level };
    from = to;
    level = nextLevel;
  }
}

/** The first place behind `from` to cut at, looking further and further. */
function nextGrapheme(text: string, from: number, end: number, reach: number): number {
  for (let offset = from + reach; offset < end; offset += reach) {
    const cut = graphemeCut(text, offset, from);
    if (cut > from) return cut;
  }
  return end;
}

function codePointSpans(text: string, { start, end }: TextSpan): TextSpan[] {
  const spans: TextSpan[] = [];
  for (let from = start; from < end; ) {
    const to = from + (codePointCut(text, from + 1) === from + 1 ? 1 : 2);
    spans.push({ start: from, end: to });
    from = to;
  }
  return spans;
}
