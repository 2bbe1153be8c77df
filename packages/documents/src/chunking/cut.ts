import { cutLevel, type TextUnit } from './text-unit.js';

/** A unit with its size. `parts` are the smaller units that it was measured by, where that was the cheaper way. */
export interface MeasuredUnit extends TextUnit {
  readonly tokens: number;
  readonly parts?: readonly MeasuredUnit[] | undefined;
  /** Set when first needed: where the beginning of this unit stands among equally good places to cut, 0 to 1. */
  priority?: number | undefined;
}

/** Least part of a chunk that a cut of a level may leave on either side. Headings may leave a short section alone. */
function smallestShare(level: number): number {
  if (level > cutLevel.paragraph) return 0.08;
  if (level >= cutLevel.afterColon) return 0.15;
  if (level >= cutLevel.tableRow - 1) return 0.2;
  return 0.25;
}

/**
 * Where to cut a range of units that is too large for one chunk: an index, the unit before which to cut, or undefined where
 * no cut leaves enough on both sides.
 *
 * The cut of the highest level wins; among equals the one whose surroundings hash highest. That is what keeps the
 * other chunks as they are when a document is edited: a priority depends on nothing but the text beside the cut, so the best cut
 * of a long range is still the best after an edit elsewhere in it, and by induction so are those of its parts. (As in a treap, Aragon
 * and Seidel 1989, and in content-defined chunking.) Filling chunks from the beginning would move every later cut. The hash
 * is bent toward the middle, so that chunks do not become too small; 0.4 and the square are measured: chunks are filled to
 * 0.62 on average (0.53 without), and random edits change 1.6 of them.
 *
 * Ends of the document do not count as ends of the range while this is longer than two chunks, or else a paragraph
 * at the top would make other cuts possible near the beginning.
 */
export function bestCut(
  text: string,
  units: readonly MeasuredUnit[],
  chunkTokens: number,
  atDocumentStart: boolean,
  atDocumentEnd: boolean,
): number | undefined {
  const total = totalTokens(units);
  const scale = Math.min(chunkTokens, total);
  const isLong = total > 2 * chunkTokens;
  let best: number | undefined;
  let bestLevel = -1;
  let bestPriority = -1;
  let bestBalance = -1;
  let left = 0;
  for (let index = 1; index < units.length; index += 1) {
    left += units[index - 1]!.tokens;
    const unit = units[index]!;
    if (unit.level < bestLevel) continue;
    const leftShare = left / scale;
    const rightShare = (total - left) / scale;
    if (Math.min(leftShare, rightShare) < smallestShare(unit.level)) continue;
    const share = Math.min(isLong && atDocumentStart ? 1 : leftShare, isLong && atDocumentEnd ? 1 : rightShare);
    unit.priority ??= boundaryPriority(text, unit.start);
    const priority = unit.priority ** (1 / Math.min(1, (share / 0.4) ** 2));
    const balance = Math.min(left, total - left);
    if (unit.level === bestLevel && (priority < bestPriority || (priority === bestPriority && balance <= bestBalance)))
      continue;
    best = index;
    bestLevel = unit.level;
    bestPriority = priority;
    bestBalance = balance;
  }
  return best;
}

/** The cut that leaves the most equal halves, whatever its level. */
export function middleCut(units: readonly MeasuredUnit[]): number {
  const total = totalTokens(units);
  let left = 0;
  let best = units.length >> 1;
  let bestBalance = 0;
  for (let index = 1; index < units.length; index += 1) {
    left += units[index - 1]!.tokens;
    const balance = Math.min(left, total - left);
    if (balance > bestBalance) {
      best = index;
      bestBalance = balance;
    }
  }
  return best;
}

export function totalTokens(units: readonly MeasuredUnit[]): number {
  let total = 0;
  for (const unit of units) total += unit.tokens;
  return total;
}

/** UTF-16 units of visible text on each side of a cut that decide its priority. */
const hashedBefore = 16;
const hashedAfter = 24;

/** A pseudo-random number in (0, 1) that depends on the text beside `offset` only. */
function boundaryPriority(text: string, offset: number): number {
  let end = offset;
  while (end > 0 && offset - end < 64 && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  // FNV-1a over UTF-16 units, then the finishing steps of MurmurHash3.
  let hash = 0x811c9dc5;
  for (let index = Math.max(0, end - hashedBefore); index < end; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  for (let index = offset; index < Math.min(text.length, offset + hashedAfter); index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
