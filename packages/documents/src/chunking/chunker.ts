import { createHash } from 'node:crypto';
import {
  AquiferError,
  type Chunk,
  type Chunker,
  type ChunkInput,
  embeddedText,
  type PageSpan,
  pageRange,
  type TokenCounter,
} from '@aquifer/contracts';
import { splitSentences } from '@aquifer/text-analysis';
import { chunkContext, tableHeader } from './chunk-context.js';
import { bestCut, type MeasuredUnit, middleCut, totalTokens } from './cut.js';
import { commonSection, headingPath, isWithin, type Section } from './sections.js';
import { cutLevel, divideUnit, documentUnits, isVisible, type TextUnit } from './text-unit.js';

export interface ChunkerOptions {
  /** Counts as the embedder does, so that it never cuts a chunk silently. */
  readonly tokenCounter: TokenCounter;
  /** Upper bound of `chunk.tokens`: at least 32, and not more than the embedder takes. Default 512. */
  readonly maxTokens?: number;
  /** About how many tokens of whole sentences are repeated from the chunk before: at most half of `maxTokens`. Default 0. */
  readonly overlapTokens?: number;
}

export const minChunkTokens = 32;
const defaultMaxTokens = 512;
/** The title and heading path, and the header row of a table, take at most this part of a chunk each. */
const contextShare = 1 / 4;

/**
 * Cuts documents into chunks that are never over `maxTokens`, counted over everything that is embedded.
 *
 * - A cut falls at the highest boundary that leaves chunks of a sensible size: section, paragraph, list item or table
 *   row, sentence, clause, word, grapheme. A grapheme is divided only where it alone is over the limit.
 * - With no overlap, everything that is not white space is in exactly one chunk.
 * - Short neighbouring sections share a chunk, whose headings are then those that they have in common.
 * - An edit changes the chunks that it touches and seldom another: see {@link bestCut}.
 *
 * The text is counted about twice: once in pieces, to find the cuts, and once chunk by chunk, to be exact.
 *
 * @throws AquiferError `invalid-options` where an option is out of range.
 * @example
 * const chunker = createChunker({ tokenCounter: await createTiktokenCounter(), maxTokens: 512 });
 * const chunks = chunker.chunk({ documentId: 'handbook/leave.md', title: 'Leave', extracted });
 */
export function createChunker(options: ChunkerOptions): Chunker {
  const { tokenCounter, maxTokens = defaultMaxTokens, overlapTokens = 0 } = options;
  const specialTokens = tokenCounter.count('');
  requireInteger('maxTokens', maxTokens, minChunkTokens + 2 * specialTokens, Number.MAX_SAFE_INTEGER);
  requireInteger('overlapTokens', overlapTokens, 0, Math.floor(maxTokens / 2));
  return {
    fingerprint: `aquifer-1 ${maxTokens} ${overlapTokens} ${tokenCounter.id}`,
    chunk: (input) => chunkDocument(input, { tokenCounter, maxTokens, overlapTokens, specialTokens }),
  };
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `from ${least} to ${most}`;
  throw new AquiferError('invalid-options', `The chunker's ${name} is ${value}. Give a whole number, ${range}.`);
}

interface ChunkSettings {
  readonly tokenCounter: TokenCounter;
  readonly maxTokens: number;
  readonly overlapTokens: number;
  /** Tokens that the model adds to every text. */
  readonly specialTokens: number;
}

/** What a chunk carries besides its slice. */
interface Surroundings {
  readonly headings: readonly string[];
  readonly context: string;
  readonly header: string;
  /** Tokens that remain for the slice. */
  readonly bodyTokens: number;
}

type Draft = Pick<Chunk, 'start' | 'end' | 'headings' | 'text' | 'context' | 'tableHeader' | 'tokens'>;

function chunkDocument(input: ChunkInput, settings: ChunkSettings): Chunk[] {
  const { text } = input.extracted;
  const { tokenCounter, maxTokens } = settings;
  const measure = createMeasure(text, settings);
  const surroundingsOf = createSurroundings(text, input.title, settings);
  const drafts: Draft[] = [];
  const units: MeasuredUnit[] = [];
  for (const unit of documentUnits(text, input.extracted.blocks)) units.push(measure(unit));
  const documentStart = units[0]?.start ?? 0;
  const documentEnd = units.at(-1)?.end ?? 0;

  /** The units as one chunk, where they fit; undefined where they do not. */
  function draft(range: readonly MeasuredUnit[], { headings, context, header }: Surroundings): Draft | undefined {
    const bounds = visibleBounds(text, range);
    const slice = { context, tableHeader: header, text: text.slice(bounds.start, bounds.end) };
    const tokens = tokenCounter.count(embeddedText(slice));
    if (tokens > maxTokens) return undefined;
    const repeated = repeatedStart(text, range[0]!, bounds.start, drafts.at(-1), settings);
    if (repeated < bounds.start) {
      const longer = { ...slice, text: text.slice(repeated, bounds.end) };
      const longerTokens = tokenCounter.count(embeddedText(longer));
      if (longerTokens <= maxTokens)
        return { headings, tokens: longerTokens, ...longer, start: repeated, end: bounds.end };
    }
    return { headings, tokens, ...slice, ...bounds };
  }

  const pending: MeasuredUnit[][] = units.length > 0 ? [units] : [];
  for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
    if (!isVisible(text, range[0]!.start, range.at(-1)!.end)) continue;
    const surroundings = surroundingsOf(range);
    const fits = totalTokens(range) <= surroundings.bodyTokens ? draft(range, surroundings) : undefined;
    if (fits !== undefined) {
      drafts.push(fits);
      continue;
    }
    const atStart = range[0]!.start === documentStart;
    const atEnd = range.at(-1)!.end === documentEnd;
    const [left, right] = divide(text, range, surroundings.bodyTokens, atStart, atEnd, measure);
    pending.push(right, left);
  }
  return withIdentity(input, drafts);
}

/** Divides a range at its best cut, after dividing its largest unit where there is no good cut between units. */
function divide(
  text: string,
  range: readonly MeasuredUnit[],
  bodyTokens: number,
  atDocumentStart: boolean,
  atDocumentEnd: boolean,
  measure: (unit: TextUnit) => MeasuredUnit,
): [MeasuredUnit[], MeasuredUnit[]] {
  let units = range;
  for (;;) {
    const cut = bestCut(text, units, bodyTokens, atDocumentStart, atDocumentEnd);
    if (cut !== undefined) return [units.slice(0, cut), units.slice(cut)];
    const largest = units.reduce((found, unit, index) => (unit.tokens > units[found]!.tokens ? index : found), 0);
    const unit = units[largest]!;
    const isSmall = units.length > 1 && unit.tokens * 5 <= Math.min(bodyTokens, totalTokens(units));
    const parts = isSmall ? undefined : (unit.parts ?? divideUnit(text, unit)?.map(measure));
    if (parts !== undefined) {
      units = [...units.slice(0, largest), ...parts, ...units.slice(largest + 1)];
    } else if (units.length > 1) {
      const middle = middleCut(units);
      return [units.slice(0, middle), units.slice(middle)];
    } else {
      throw new AquiferError(
        'invalid-options',
        `The chunker's maxTokens leaves no room for the character at offset ${unit.start}. Choose a larger maxTokens.`,
      );
    }
  }
}

/** Sizes units. One that is surely too large for a chunk is sized by its parts, which will be needed anyway. */
function createMeasure(text: string, { tokenCounter, maxTokens, specialTokens }: ChunkSettings) {
  return function measure(unit: TextUnit): MeasuredUnit {
    const raw = text.slice(unit.start, unit.end);
    const visible = raw.trimEnd();
    if (likelyTokens(visible) > maxTokens * 0.8) {
      const parts = divideUnit(text, unit)?.map(measure);
      if (parts !== undefined) return measured(unit, totalTokens(parts), parts);
    }
    const separator = unit.grain === 'block' || unit.grain === 'code' || raw.includes('\n', visible.length) ? 1 : 0;
    return measured(unit, tokenCounter.count(visible) - specialTokens + separator, undefined);
  };
}

/** All fields at once, also those that are set later: a field that is added makes each of a million units half as large again. */
function measured(
  { start, end, level, grain, section, isHeading, header }: TextUnit,
  tokens: number,
  parts: readonly MeasuredUnit[] | undefined,
): MeasuredUnit {
  return { start, end, level, grain, section, isHeading, header, tokens, parts, priority: undefined };
}

/** A guess that looks at a few characters: ideographs and kana are about one token each, other text a quarter. */
function likelyTokens(text: string): number {
  const { length } = text;
  const samples = 32;
  if (length <= samples) return length;
  let wide = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    if (text.charCodeAt(Math.floor((sample * length) / samples)) >= 0x2e80) wide += 1;
  }
  return (length * (1 + (3 * wide) / samples)) / 4;
}

function createSurroundings(text: string, title: string, settings: ChunkSettings) {
  const { tokenCounter, maxTokens, overlapTokens, specialTokens } = settings;
  const share = Math.floor((maxTokens - specialTokens) * contextShare) + specialTokens;
  const tokensOf = (part: string) => (part === '' ? 0 : tokenCounter.count(part) - specialTokens + 1);
  const contexts = new Map<Section, { headings: string[]; context: string; tokens: number }>();
  const headers = new Map<number, { header: string; tokens: number }>();

  function contextOf(section: Section) {
    let found = contexts.get(section);
    if (found === undefined) {
      const headings = headingPath(section);
      const context = chunkContext(title, headings, tokenCounter, share);
      found = { headings, context, tokens: tokensOf(context) };
      contexts.set(section, found);
    }
    return found;
  }

  function headerOf({ header: span }: TextUnit) {
    if (span === undefined) return { header: '', tokens: 0 };
    let found = headers.get(span.start);
    if (found === undefined) {
      const header = tableHeader(text.slice(span.start, span.end), tokenCounter, share);
      found = { header, tokens: tokensOf(header) };
      headers.set(span.start, found);
    }
    return found;
  }

  return (range: readonly TextUnit[]): Surroundings => {
    const { headings, context, tokens } = contextOf(sectionOf(range));
    const header = headerOf(range[0]!);
    const bodyTokens = maxTokens - specialTokens - overlapTokens - tokens - header.tokens;
    return { headings, context, header: header.header, bodyTokens: Math.max(1, bodyTokens) };
  };
}

/** What all of the range is about. Headings that it begins with count as the path to what follows them. */
function sectionOf(range: readonly TextUnit[]): Section {
  let first = 0;
  while (range[first]!.isHeading && range[first + 1] && isWithin(range[first + 1]!.section, range[first]!.section))
    first += 1;
  return commonSection(range[first]!.section, range.at(-1)!.section);
}

/** Without white space around it, but with the indentation of code. */
function visibleBounds(text: string, range: readonly TextUnit[]): { start: number; end: number } {
  const { start, grain } = range[0]!;
  const last = range.at(-1)!;
  const lead = grain === 'block' ? text.slice(start, range[0]!.end).search(/\S/) : 0;
  const end = start + text.slice(start, last.end).trimEnd().length;
  return { start: start + Math.max(0, lead), end };
}

/** Where a chunk begins when it repeats the last sentences of the chunk before. */
function repeatedStart(
  text: string,
  first: TextUnit,
  start: number,
  previous: Draft | undefined,
  { tokenCounter, overlapTokens, specialTokens }: ChunkSettings,
): number {
  const startsAnew = first.level > cutLevel.paragraph || first.header !== undefined;
  if (overlapTokens === 0 || previous === undefined || startsAnew) return start;
  const from = Math.max(previous.start, start - overlapTokens * 8);
  const sentences = splitSentences(text, { start: from, end: start });
  // The first is probably the end of a longer one.
  if (from > previous.start) sentences.shift();
  let repeated = start;
  for (const sentence of sentences.reverse()) {
    if (tokenCounter.count(text.slice(sentence.start, start)) - specialTokens > overlapTokens) break;
    repeated = sentence.start;
  }
  return repeated;
}

function withIdentity({ documentId, extracted }: ChunkInput, drafts: readonly Draft[]): Chunk[] {
  const occurrences = new Map<string, number>();
  const pagesOf = createPageLookup(extracted.pages);
  return drafts.map((draft, ordinal) => {
    const digest = createHash('sha256')
      .update(JSON.stringify([documentId, embeddedText(draft)]))
      .digest('hex');
    const occurrence = occurrences.get(digest) ?? 0;
    occurrences.set(digest, occurrence + 1);
    const id = occurrence === 0 ? digest : createHash('sha256').update(`${digest} ${occurrence}`).digest('hex');
    return { id: id.slice(0, 32), documentId, ordinal, ...draft, ...pagesOf(draft.start, draft.end) };
  });
}

/** {@link pageRange} for ranges asked in order, without looking at all pages each time. */
function createPageLookup(pages: readonly PageSpan[]): (start: number, end: number) => ReturnType<typeof pageRange> {
  let first = 0;
  return (start, end) => {
    while (first > 0 && pages[first - 1]!.end > start) first -= 1;
    while (first < pages.length && pages[first]!.end <= start) first += 1;
    let last = first;
    while (last < pages.length && pages[last]!.start < end) last += 1;
    return pageRange(pages.slice(first, last), start, end);
  };
}
