import type { Run } from './runs.js';
import type { Table } from './tables.js';

/** A piece of a line with no wide gap inside: a line of a column, or a cell of a table. */
export interface Segment {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
  /** Size of the font that most of it is in. */
  readonly size: number;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly monospaced: boolean;
  /** A ruled table that stands here, instead of text. */
  readonly table?: Table;
}

/** Segments on one baseline, from left to right. */
export interface Row {
  readonly segments: readonly Segment[];
  readonly baseline: number;
  readonly size: number;
}

/** A gap of this many font sizes separates segments. Spaces of justified lines stay below it, cells and columns above. */
const segmentGap = 0.95;

/** Puts runs onto lines, from top to bottom. */
export function rowsOf(runs: readonly Run[]): Row[] {
  return mergeRaised(withoutRuby(clusterByBaseline(runs))).map(({ runs: members }) => {
    const segments = joinMarkers(segmentsOf(members));
    return rowOf(segments);
  });
}

/** A row of the given segments, which must not be none. */
export function rowOf(segments: readonly Segment[]): Row {
  const main = segments.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  return { segments, baseline: main.baseline, size: main.size };
}

interface Cluster {
  runs: Run[];
  baseline: number;
  size: number;
}

function clusterByBaseline(runs: readonly Run[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const run of [...runs].sort((a, b) => a.baseline - b.baseline)) {
    const last = clusters.at(-1);
    if (last && run.baseline - last.baseline <= 0.25 * Math.min(run.size, last.size)) {
      last.runs.push(run);
      last.size = Math.max(last.size, run.size);
    } else {
      clusters.push({ runs: [run], baseline: run.baseline, size: run.size });
    }
  }
  return clusters;
}

const kana = /^[\p{Script=Hiragana}\p{Script=Katakana}ー\s]+$/u;
const han = /\p{Script=Han}/u;

/** Takes away the readings in small kana over kanji (ruby): they repeat the text, and would stand between its lines. */
function withoutRuby(clusters: Cluster[]): Cluster[] {
  return clusters.filter((cluster, index) => {
    const below = clusters[index + 1];
    if (!below || cluster.size > below.size * 0.6 || !cluster.runs.every((run) => kana.test(run.text))) return true;
    if (below.baseline - cluster.baseline > below.size * 1.4) return true;
    return !cluster.runs.every((run) =>
      below.runs.some((base) => han.test(base.text) && base.left < run.right && base.right > run.left),
    );
  });
}

/** Puts superscripts, subscripts and small capitals set off the baseline back onto their line. */
function mergeRaised(clusters: readonly Cluster[]): Cluster[] {
  clusters.forEach((cluster, index) => {
    cluster.runs = cluster.runs.filter((run) => {
      const [above, below] = [clusters[index - 1], clusters[index + 1]].map((neighbour) => ({
        neighbour,
        overlap: Math.max(0, ...(neighbour?.runs.map((big) => overlapBeside(run, big)) ?? [])),
      })) as [Candidate, Candidate];
      const home = above.overlap > below.overlap ? above : below;
      if (!home.neighbour || home.overlap < run.size * 0.3) return true;
      home.neighbour.runs.push(run);
      return false;
    });
  });
  return clusters.filter((cluster) => cluster.runs.length > 0);
}

interface Candidate {
  readonly neighbour: Cluster | undefined;
  readonly overlap: number;
}

/** How much of a small run's height lies within the line of a bigger one next to it; 0 where they are not neighbours. */
function overlapBeside(small: Run, big: Run): number {
  if (small.size > big.size * 0.85) return 0;
  if (small.left - big.right > big.size * 0.6 || big.left - small.right > big.size * 0.6) return 0;
  const top = Math.max(small.baseline - small.size * 0.75, big.baseline - big.size * 0.9);
  const bottom = Math.min(small.baseline, big.baseline + big.size * 0.25);
  return bottom - top;
}

function segmentsOf(runs: Run[]): Segment[] {
  const segments: Segment[] = [];
  let members: Run[] = [];
  for (const run of runs.sort((a, b) => a.left - b.left)) {
    const last = members.at(-1);
    if (last && run.left - last.right > segmentGap * Math.max(Math.min(run.size, last.size), 1)) {
      segments.push(segmentOf(members));
      members = [];
    }
    members.push(run);
  }
  if (members.length > 0) segments.push(segmentOf(members));
  return segments;
}

function segmentOf(runs: readonly Run[]): Segment {
  const characters = runs.reduce((sum, run) => sum + run.text.length, 0);
  const share = (has: (run: Run) => boolean) =>
    runs.reduce((sum, run) => sum + (has(run) ? run.text.length : 0), 0) > characters * 0.8;
  const main = runs.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  const ordered = inReadingOrder(
    runs,
    share((run) => run.backwards),
  );
  let text = '';
  ordered.forEach((run, index) => {
    const last = ordered[index - 1];
    text += last ? separator(last, run, text) + run.text : run.text;
  });
  return {
    text: text.replace(/([\d—–]) \)/g, '$1)'),
    left: Math.min(...runs.map((run) => run.left)),
    right: Math.max(...runs.map((run) => run.right)),
    baseline: main.baseline,
    size: main.size,
    bold: share((run) => run.font.bold),
    italic: share((run) => run.font.italic),
    monospaced: share((run) => run.font.monospaced) && hasEvenWidth(runs),
  };
}

/** Runs from left to right in the order in which they are read: what runs backwards is turned around, as a whole or piece by piece. */
function inReadingOrder(runs: readonly Run[], isBackwards: boolean): readonly Run[] {
  if (runs.every((run) => !run.backwards)) return runs;
  const ordered: Run[] = [];
  let turned: Run[] = [];
  for (const run of isBackwards ? runs.toReversed() : runs) {
    if (run.backwards === isBackwards) {
      ordered.push(...turned.reverse(), run);
      turned = [];
    } else turned.push(run);
  }
  return [...ordered, ...turned.reverse()];
}

/** Fonts often claim to be monospaced and are not; Latin letters of those that are take 0.5 to 0.64 of the font size. */
function hasEvenWidth(runs: readonly Run[]): boolean {
  return runs.every(({ text, left, right, size }) => {
    const width = (right - left) / text.length / size;
    return text.length < 4 ? !endsInCjk.test(text) : width > 0.49 && width < 0.65;
  });
}

const endsInCjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]$/u;
const beginsWithCjk = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;

function separator(last: Run, run: Run, text: string): '' | ' ' {
  const gap = last.left > run.left ? last.left - run.right : run.left - last.right;
  const size = Math.min(last.size, run.size);
  if (beginsWithCjk.test(run.text) || endsInCjk.test(text.slice(-2))) return gap > size * 0.6 ? ' ' : '';
  return gap > size * 0.17 || (run.afterSpace && gap > -size * 0.1) ? ' ' : '';
}

/** Whether no space goes between two lines or runs that end and begin like this. */
export function joinsWithoutSpace(before: string, after: string): boolean {
  return beginsWithCjk.test(after) && endsInCjk.test(before.slice(-2));
}

const bullet = /^[•●▪▫◦‣⁃∙■□◆◇➢➤✓✔○·\uf0a7\uf0b7\uf0d8\uf076・]$/u;
const marker = /^(?:\(?[0-9]{1,2}[.)]|\(?[a-zA-Z][.)]|\(?[ivxIVX]{1,4}[.)]|[–—-])$/u;
const currency = /^(?:US)?[$€£¥]$/u;
const closing = /^(?:\)|%|\)%|\) %)$/u;

/**
 * Joins what stands apart but belongs together: a bullet or number and its item, a currency sign and its amount, an amount and
 * its bracket or percent sign.
 */
function joinMarkers(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    const gap = last ? segment.left - last.right : 0;
    if (last && currency.test(last.text) && /^[(\d.—–-]/.test(segment.text)) {
      joined[joined.length - 1] = together(last, segment, '');
    } else if (last && closing.test(segment.text) && /[\d)—–]$/.test(last.text) && gap < segment.size * 2.5) {
      joined[joined.length - 1] = together(last, segment, '');
    } else if (
      last &&
      gap < segment.size * 5 &&
      (bullet.test(last.text) || (joined.length === 1 && marker.test(last.text) && /^\p{L}/u.test(segment.text)))
    ) {
      joined[joined.length - 1] = together(last, segment, ' ');
    } else {
      joined.push(segment);
    }
  }
  return joined;
}

/** Two neighbours as one segment, in the style of the longer. */
export function together(first: Segment, second: Segment, between: string): Segment {
  const main = second.text.length >= first.text.length ? second : first;
  return {
    ...main,
    text: first.text + between + second.text,
    left: Math.min(first.left, second.left),
    right: Math.max(first.right, second.right),
  };
}
