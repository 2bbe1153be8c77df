import { type Matrix, multiply } from './matrix.js';
import type { PdfOperators, PdfPage, PdfTextContent } from './open.js';
import type { Viewport } from './page.js';

export interface FontStyle {
  readonly bold: boolean;
  readonly italic: boolean;
  readonly monospaced: boolean;
}

/**
 * A run of text in one font on one line. Positions are in points, in a frame in which the text is upright and read from
 * left to right: x grows along the line, y from line to line.
 */
export interface Run {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
  /** Font size. */
  readonly size: number;
  readonly font: FontStyle;
  /** Whether white space comes before it in the file. */
  readonly afterSpace: boolean;
  /** Whether it is read against the direction in which x grows, as Hebrew among English is. */
  readonly backwards: boolean;
}

/** The runs of a page that are written in one direction, and the size of the page in their frame. */
export interface RunGroup {
  readonly runs: readonly Run[];
  readonly width: number;
  readonly height: number;
  /** A point of the page as shown (y growing downwards), in this frame. */
  readonly place: (x: number, y: number) => [x: number, y: number];
}

export type FontStyles = Map<string, FontStyle>;

const unknownFont: FontStyle = { bold: false, italic: false, monospaced: false };

/**
 * The runs of a page, grouped by writing direction, the direction of most text first. What is written over the
 * page at a slant (stamps, "DRAFT") comes last.
 */
export function pageRuns(viewport: Viewport, content: PdfTextContent, fonts: FontStyles): RunGroup[] {
  const groups = new Map<string, { runs: Run[]; frame: Frame; characters: number; backwards: number }>();
  let afterSpace = false;
  for (const item of content.items) {
    const text = item.str.trim();
    if (text === '') {
      afterSpace = true;
      continue;
    }
    const matrix = multiply(viewport.transform, item.transform);
    const vertical = content.styles[item.fontName]?.vertical ?? false;
    const frame = frameOf(matrix, vertical, viewport);
    let group = groups.get(frame.key);
    if (!group) {
      group = { runs: [], frame, characters: 0, backwards: 0 };
      groups.set(frame.key, group);
    }
    const [left, baseline] = frame.place(matrix[4], matrix[5]);
    const size = vertical ? item.width : Math.hypot(matrix[2], matrix[3]);
    const { kept, share } = withoutLeader(
      presentationForms.test(text) ? text.replace(everyPresentationForm, letterOf) : text,
    );
    if (kept !== '' && size > 0) {
      group.runs.push({
        text: kept,
        left,
        right: left + (vertical ? item.height : item.width) * share,
        // The origin of upright letters is in the middle of the column; that of letters lying in it is nearer to its edge.
        baseline: vertical ? baseline + size * 0.38 : baseline,
        size,
        font: fonts.get(item.fontName) ?? unknownFont,
        afterSpace: afterSpace || item.str.startsWith(' '),
        backwards: item.dir === 'rtl',
      });
      group.characters += kept.length;
      if (item.dir === 'rtl') group.backwards += kept.length;
    }
    afterSpace = item.str.endsWith(' ');
  }
  const [lying, upright] = [groups.get('90'), groups.get('0')];
  const isColumns = Object.values(content.styles).some(({ vertical }) => vertical);
  if (isColumns && lying && upright && lying.characters > upright.characters) setIntoColumns(lying, upright, viewport);
  return [...groups.values()]
    .filter(({ runs }) => runs.length > 0)
    .sort((a, b) => Number(b.frame.upright) - Number(a.frame.upright) || b.characters - a.characters)
    .map(({ runs, frame, characters, backwards }) => {
      const group = { runs: withoutShadows(runs), width: frame.width, height: frame.height, place: frame.place };
      return backwards > characters / 2 ? mirrored(group) : group;
    });
}

/** Ligatures, the shapes of Arabic letters, and signs turned for vertical text have codes of their own (Unicode blocks named so). */
const presentationForms = /[\ufb00-\ufdff\ufe10-\ufe19\ufe30-\ufe44\ufe47\ufe48\ufe70-\ufefc]/;
const everyPresentationForm = new RegExp(presentationForms, 'g');
const fullWidth: Readonly<Record<string, string>> = {
  '︵': '（',
  '︶': '）',
  '︰': '‥',
  '︙': '…',
  '︱': '—',
  '︲': '–',
};

function letterOf(form: string): string {
  return fullWidth[form] ?? form.normalize('NFKC');
}

/** Two digits or letters side by side within a column of vertical Japanese (縦中横) are part of the column. */
function setIntoColumns(columns: { readonly runs: Run[] }, upright: { runs: Run[] }, { width }: Viewport): void {
  upright.runs = upright.runs.filter((run) => {
    const baseline = width - (run.left + run.right) / 2 + run.size * 0.38;
    const [left, right] = [run.baseline - run.size * 0.88, run.baseline + run.size * 0.12];
    const isWithin =
      run.text.length <= 4 &&
      columns.runs.some(
        (one) =>
          Math.abs(one.baseline - baseline) < one.size * 0.4 &&
          run.right - run.left < one.size * 1.3 &&
          left - one.right < one.size * 0.5 &&
          one.left - right < one.size * 0.5,
      );
    if (isWithin) columns.runs.push({ ...run, left, right, baseline });
    return !isWithin;
  });
}

/** Text from right to left is laid out as in a mirror: with x growing to the left, lines, columns and margins are like any others. */
function mirrored({ runs, width, height, place }: RunGroup): RunGroup {
  return {
    runs: runs.map((run) => ({
      ...run,
      left: width - run.right,
      right: width - run.left,
      backwards: !run.backwards,
    })),
    width,
    height,
    place: (x, y) => {
      const [placedX, placedY] = place(x, y);
      return [width - placedX, placedY];
    },
  };
}

/**
 * Learns the styles of fonts that were not seen before. PDF.js tells the name of a font only with the drawing operations of a
 * page, which cost as much as its text, so they are asked for on pages that bring a new font. Returns them where they were.
 */
export async function learnFonts(
  page: PdfPage,
  content: PdfTextContent,
  fonts: FontStyles,
): Promise<PdfOperators | undefined> {
  const unseen = Object.keys(content.styles).filter((id) => !fonts.has(id));
  if (unseen.length === 0) return undefined;
  const operators = await page.getOperatorList();
  for (const id of unseen) {
    const font = page.commonObjs.has(id) ? (page.commonObjs.get(id) as { name?: string } | null) : undefined;
    const name = font?.name ?? '';
    fonts.set(id, {
      bold: /bold|black|heavy|demi|cmbx|[-,]bd/i.test(name),
      italic: /ital|obli|cmti/i.test(name),
      monospaced:
        /mono|courier|consol|menlo|cmtt|typewriter/i.test(name) || content.styles[id]?.fontFamily === 'monospace',
    });
  }
  return operators;
}

interface Frame {
  readonly key: string;
  /** Whether whole lines of a page may be written in it, as opposed to at a slant. */
  readonly upright: boolean;
  readonly width: number;
  readonly height: number;
  readonly place: (x: number, y: number) => [x: number, y: number];
}

/** The frame in which text with this matrix (in viewport space, y growing downwards) is upright. */
function frameOf(matrix: Matrix, vertical: boolean, { width, height }: Viewport): Frame {
  // Vertical Japanese: along the line is down, the next line is to the left.
  if (vertical) return { key: '90', upright: true, width: height, height: width, place: (x, y) => [y, width - x] };
  const degrees = (Math.round((Math.atan2(matrix[1], matrix[0]) * 180) / Math.PI) + 360) % 360;
  const near = (angle: number) => Math.abs(((degrees - angle + 540) % 360) - 180) <= 10;
  if (near(0)) return { key: '0', upright: true, width, height, place: (x, y) => [x, y] };
  if (near(90)) return { key: '90', upright: true, width: height, height: width, place: (x, y) => [y, width - x] };
  if (near(180)) return { key: '180', upright: true, width, height, place: (x, y) => [width - x, height - y] };
  if (near(270)) return { key: '270', upright: true, width: height, height: width, place: (x, y) => [height - y, x] };
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  return {
    key: `slant ${degrees}`,
    upright: false,
    width: width + height,
    height: width + height,
    place: (x, y) => [x * cos + y * sin, y * cos - x * sin],
  };
}

/** Takes off the row of dots that leads the eye to a page number or an amount. `share` is the part of the width that stays. */
function withoutLeader(text: string): { kept: string; share: number } {
  if (!text.includes('..') && !text.includes('. .') && !text.includes('……') && !text.includes('__'))
    return { kept: text, share: 1 };
  const kept = text.replace(/(?:\s*[.…․_]){4,}\s*$/, '');
  return { kept, share: kept.length / text.length };
}

/** Bold and shadow are sometimes made by writing the same text twice, a hair apart. */
function withoutShadows(runs: readonly Run[]): Run[] {
  const seen = new Map<string, Run[]>();
  return runs.filter((run) => {
    const same = seen.get(run.text);
    if (!same) {
      seen.set(run.text, [run]);
      return true;
    }
    const near = run.size * 0.2;
    if (same.some((one) => Math.abs(one.left - run.left) < near && Math.abs(one.baseline - run.baseline) < near))
      return false;
    same.push(run);
    return true;
  });
}
