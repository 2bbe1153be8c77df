import {
  type Chunk,
  type PassagePlace,
  pageRange,
  type Store,
  type StoredChunk,
  throwIfAborted,
} from '@aquifer/contracts';
import { findNearDuplicates } from './near-duplicates.js';
import { isSupersededFor } from './superseded.js';

/** A slice of a document that goes into the prompt: one chunk, or neighbouring chunks joined. */
export interface Passage extends PassagePlace {
  /** Rank of the best match in it, from 1. */
  readonly rank: number;
  readonly text: string;
  readonly tableHeader: string;
  /** The matches in it. */
  readonly chunkIds: readonly string[];
}

/** A match that did not go into the prompt as a passage of its own. */
export interface DroppedMatch {
  readonly rank: number;
  readonly chunkId: string;
  readonly documentId: string;
  readonly source: string;
  readonly reason: 'superseded' | 'near-duplicate' | 'over-limit' | 'over-budget';
  /** The chunk that says the same. */
  readonly duplicateOf?: string;
}

export interface PassageSelection {
  /** Best first. */
  readonly passages: readonly Passage[];
  readonly dropped: readonly DroppedMatch[];
}

/** A match shorter than this many tokens is shown with its neighbours: out of their midst it may say little. */
const shortTokens = 160;
/** What it is widened to, at most by two chunks on each side. */
const widenedTokens = 320;
const neighbourReach = 2;
/** Joined passages grow no larger: a citation should point at something one can read. */
const maxJoinedTokens = 1_024;

/**
 * Makes passages out of matches: superseded documents and near-duplicates dropped, the first `limit` kept, short ones
 * widened to their neighbours under the same heading, overlapping and adjacent ones of a document joined.
 *
 * A passage's text is always the document's own text between its offsets.
 */
export async function selectPassages(
  store: Store,
  matches: readonly StoredChunk[],
  { question, limit, signal }: { readonly question: string; readonly limit: number; readonly signal?: AbortSignal },
): Promise<PassageSelection> {
  const superseded = matches.map(({ document }) => isSupersededFor(question, document));
  const isKept = superseded.includes(false) ? (index: number) => !superseded[index] : () => true;
  const current = matches.flatMap((chunk, index) => (isKept(index) ? [{ rank: index + 1, chunk }] : []));
  const duplicates = findNearDuplicates(
    current.map(({ chunk: { context, tableHeader, text } }) => ({ context, text: `${tableHeader}\n${text}` })),
  );
  const dropped: DroppedMatch[] = matches.flatMap((chunk, index) =>
    isKept(index) ? [] : [droppedMatch(chunk, index + 1, 'superseded')],
  );
  const kept: Extent[] = [];
  current.forEach(({ rank, chunk }, index) => {
    const original = duplicates[index];
    if (original !== undefined) {
      dropped.push({ ...droppedMatch(chunk, rank, 'near-duplicate'), duplicateOf: current[original]!.chunk.id });
    } else if (kept.length >= limit) dropped.push(droppedMatch(chunk, rank, 'over-limit'));
    else kept.push({ rank, best: chunk, matches: [chunk], parts: [chunk] });
  });
  const widened = await Promise.all(kept.map((extent) => widen(store, extent)));
  throwIfAborted(signal);
  const byDocument = new Map<string, Extent[]>();
  for (const extent of widened) {
    const { documentId } = extent.best;
    byDocument.set(documentId, [...(byDocument.get(documentId) ?? []), extent]);
  }
  const passages = await Promise.all([...byDocument.values()].map((extents) => passagesOf(store, extents)));
  throwIfAborted(signal);
  return {
    passages: passages.flat().sort((a, b) => a.rank - b.rank),
    dropped: dropped.sort((a, b) => a.rank - b.rank),
  };
}

function droppedMatch(chunk: StoredChunk, rank: number, reason: DroppedMatch['reason']): DroppedMatch {
  return { rank, chunkId: chunk.id, documentId: chunk.documentId, source: chunk.document.source, reason };
}

/** Chunks that follow each other, around one or more matches. */
interface Extent {
  readonly rank: number;
  /** The best match in it. */
  readonly best: StoredChunk;
  readonly matches: readonly StoredChunk[];
  /** By ordinal, without gaps. */
  readonly parts: readonly Chunk[];
}

async function widen(store: Store, extent: Extent): Promise<Extent> {
  const { documentId, document, ordinal, tokens } = extent.best;
  if (tokens >= shortTokens || document.chunkCount < 2) return extent;
  const from = Math.max(0, ordinal - neighbourReach);
  const around = await store.listChunks(documentId, { from, to: ordinal + neighbourReach + 1 });
  const at = around.findIndex(({ id }) => id === extent.best.id);
  if (at < 0) return extent;
  const section = sectionOf(extent.best);
  let [first, last, total] = [at, at, tokens];
  // What follows explains a passage more often than what precedes it, so it goes first; then the two sides take turns.
  for (let side = 1, stuck = 0; stuck < 2; side = -side) {
    const next = side > 0 ? around[last + 1] : around[first - 1];
    if (next && sectionOf(next) === section && total + next.tokens <= widenedTokens) {
      total += next.tokens;
      stuck = 0;
      if (side > 0) last++;
      else first--;
    } else stuck++;
  }
  return { ...extent, parts: around.slice(first, last + 1) };
}

function sectionOf(chunk: Chunk): string {
  return JSON.stringify(chunk.headings);
}

async function passagesOf(store: Store, extents: readonly Extent[]): Promise<Passage[]> {
  const joined: Extent[] = [];
  for (const extent of [...extents].sort((a, b) => a.parts[0]!.ordinal - b.parts[0]!.ordinal)) {
    const previous = joined.at(-1);
    const both = previous && join(previous, extent);
    if (both) joined[joined.length - 1] = both;
    else joined.push(extent);
  }
  if (joined.every(({ parts }) => parts.length === 1)) return matchesAlone(extents);
  const content = await store.getContent(joined[0]!.best.documentId);
  return joined.flatMap((extent) => {
    const { rank, best, matches, parts } = extent;
    const start = parts[0]!.start;
    const end = Math.max(...parts.map((part) => part.end));
    // The document may have been replaced since it was searched: then its offsets mean something else.
    const isSame = content && matches.every((chunk) => content.text.slice(chunk.start, chunk.end) === chunk.text);
    if (parts.length === 1 || !isSame) return matchesAlone(extents.filter(({ best }) => matches.includes(best)));
    return {
      rank,
      ...describe(best),
      headings: commonPath(parts.map(({ headings }) => headings)),
      ...pageRange(content.pages, start, end),
      start,
      end,
      text: content.text.slice(start, end),
      tableHeader: parts[0]!.tableHeader,
      chunkIds: matches.map(({ id }) => id),
    };
  });
}

/** Both as one, where they overlap, or follow each other under the same heading. */
function join(a: Extent, b: Extent): Extent | undefined {
  const known = new Set(a.parts.map(({ id }) => id));
  const added = b.parts.filter(({ id }) => !known.has(id));
  const overlaps = added.length < b.parts.length;
  const follows =
    b.parts[0]!.ordinal === a.parts.at(-1)!.ordinal + 1 && sectionOf(a.parts.at(-1)!) === sectionOf(b.parts[0]!);
  const parts = [...a.parts, ...added];
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  if (!(overlaps || follows) || tokens > maxJoinedTokens) return undefined;
  const better = a.rank < b.rank ? a : b;
  return { rank: better.rank, best: better.best, matches: [...a.matches, ...b.matches], parts };
}

/** Every match as a passage of its own, as it was found. */
function matchesAlone(extents: readonly Extent[]): Passage[] {
  return extents.map(({ best: chunk, rank }) => ({
    rank,
    ...describe(chunk),
    headings: chunk.headings,
    ...(chunk.pageStart !== undefined && { pageStart: chunk.pageStart }),
    ...(chunk.pageEnd !== undefined && { pageEnd: chunk.pageEnd }),
    start: chunk.start,
    end: chunk.end,
    text: chunk.text,
    tableHeader: chunk.tableHeader,
    chunkIds: [chunk.id],
  }));
}

function describe({ documentId, document }: StoredChunk) {
  return { documentId, source: document.source, title: document.title };
}

function commonPath(paths: readonly (readonly string[])[]): readonly string[] {
  const first = paths[0] ?? [];
  const differs = first.findIndex((heading, depth) => paths.some((path) => path[depth] !== heading));
  return differs < 0 ? first : first.slice(0, differs);
}
