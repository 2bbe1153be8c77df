import type { PromptPassage } from '@aquifer/contracts';
import { splitSentences } from '@aquifer/text-analysis';

/** The smallest piece of a passage that can be quoted: a sentence, a list item, a table row. */
export interface AnswerUnit {
  /** Index into the prompt's passages. */
  readonly passage: number;
  /** UTF-16 offsets into the passage's text, without the white space and the bullet around. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: 'sentence' | 'list-item' | 'table-row' | 'heading';
  /** The heading above, or the empty string. */
  readonly heading: string;
  /** The header of a row's table, or the empty string. */
  readonly header: string;
  /** The line that opens the list, or the empty string. */
  readonly opening: string;
}

/** Longer units are quoted as far as this: nobody reads a sentence of 2,000 characters. */
const maxUnitLength = 700;
const maxHeadingLength = 80;

const tableRow = /\s\|\s|^\||\t/;
const tableRule = /^[\s|:+=-]+$/;
const listItem = /^\s*(?:[-*+•‣◦・●○■□◆◇–—]\s*|[([（]?(?:\d{1,3}|[a-zA-Z])[.)\]）]\s+|[①-⑳]\s*)/u;
const markdownHeading = /^\s*#{1,6}\s+/;
const sentenceEnd = /[.!?。！？…:：;；,、，][)）」』"”’]*$/u;
const titleStart = /^[\p{Lu}\p{N}第]/u;
const listOpening = /[:：]\s*$/u;

/** Cuts a passage into units, in order. */
export function answerUnits(passage: PromptPassage, index: number): AnswerUnit[] {
  const units: AnswerUnit[] = [];
  const { text } = passage;
  let heading = passage.headings.at(-1) ?? '';
  let opening = '';
  let header = passage.tableHeader;
  let headerLine: { readonly start: number; readonly end: number } | undefined;

  const add = (
    start: number,
    end: number,
    kind: AnswerUnit['kind'],
    lead: { header?: string; opening?: string } = {},
  ): void => {
    const slice = text.slice(start, end);
    const bullet = /^\s*/.exec(slice.slice(markerLength(slice, kind)))![0].length + markerLength(slice, kind);
    const from = start + bullet;
    const to = Math.min(start + slice.trimEnd().length, from + maxUnitLength);
    if (to <= from) return;
    const above = kind === 'heading' ? '' : heading;
    const unit = { passage: index, start: from, end: to, text: text.slice(from, to), kind, heading: above };
    units.push({ header: lead.header ?? '', opening: lead.opening ?? '', ...unit });
  };
  /** A header that no row followed is a line like any other. */
  const closeTable = (): void => {
    if (headerLine !== undefined) add(headerLine.start, headerLine.end, 'table-row');
    headerLine = undefined;
    header = '';
  };

  for (const { start, end, kind } of lineGroups(text)) {
    const lines = text.slice(start, end);
    if (kind === 'table-row') {
      if (tableRule.test(lines)) continue;
      if (header === '') {
        // The first row of a table names its columns, unless the table was split and the header is known.
        header = lines.trim();
        headerLine = { start, end };
      } else {
        headerLine = undefined;
        add(start, end, 'table-row', { header });
      }
      continue;
    }
    closeTable();
    if (kind === 'list-item') {
      add(start, end, 'list-item', { opening });
      continue;
    }
    opening = '';
    for (const sentence of splitSentences(text, { start, end })) {
      const content = text.slice(sentence.start, sentence.end);
      if (isHeading(content, passage.headings)) {
        heading = content.replace(markdownHeading, '').trim();
        add(sentence.start, sentence.end, 'heading');
      } else {
        add(
          sentence.start,
          sentence.end,
          isTitles(content, passage, passage.start === 0 && units.length === 0) ? 'heading' : 'sentence',
        );
      }
    }
    opening = text.slice(start, end).trim();
    opening = listOpening.test(opening) ? (units.at(-1)?.text ?? '') : '';
  }
  closeTable();
  return units;
}

/** Length of what stands before the words: a bullet, a number, the marks of a heading. */
function markerLength(slice: string, kind: AnswerUnit['kind']): number {
  if (kind === 'list-item') return listItem.exec(slice)?.[0].length ?? 0;
  if (kind === 'heading') return markdownHeading.exec(slice)?.[0].length ?? 0;
  return 0;
}

/** A heading inside a passage: marked as one, known as one, or a short line that is no sentence. */
function isHeading(sentence: string, headings: readonly string[]): boolean {
  const line = sentence.trim();
  if (markdownHeading.test(line) || headings.includes(line)) return true;
  const isShortLine = sentence.includes('\n') && !line.includes('\n') && line.length <= maxHeadingLength;
  // The questions of a list of questions and answers are headings too.
  return isShortLine && (/[?？]$/u.test(line) || !/[.!?。！？…:：;；]|\d/u.test(line));
}

/** Lines of a cover or a table of contents: several short ones that each begin like a title and none of which ends like a sentence. */
function isTitles(content: string, { title }: PromptPassage, isStart: boolean): boolean {
  const lines = content.trim().split(/\s*\n\s*/);
  const last = lines.at(-1)!;
  if (sentenceEnd.test(last)) return false;
  if (lines.length === 1) {
    // A cover has the name of the firm beside the title.
    const words = last.split(/\s+/);
    const isCover = isStart && words.filter((word) => titleStart.test(word)).length >= 0.75 * words.length;
    return last.length <= maxHeadingLength && (isCover || (title !== '' && title.includes(last)));
  }
  return lines.every((line) => line.length <= maxHeadingLength && titleStart.test(line) && !sentenceEnd.test(line));
}

interface LineGroup {
  readonly start: number;
  readonly end: number;
  readonly kind: 'table-row' | 'list-item' | 'text';
}

/** Table rows and list items one by one, other lines together up to an empty line: sentences go over line ends. */
function* lineGroups(text: string): Iterable<LineGroup> {
  let group: LineGroup | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(start, end);
    const kind = tableRow.test(line) ? 'table-row' : listItem.test(line) ? 'list-item' : 'text';
    const isBlank = line.trim() === '';
    const continues: boolean =
      kind === 'text' && (group?.kind === 'text' || (group?.kind === 'list-item' && /^\s{2,}/.test(line)));
    if (group !== undefined && (isBlank || !continues)) {
      yield group;
      group = undefined;
    }
    if (!isBlank) group = { start: group?.start ?? start, end, kind: group?.kind ?? kind };
    start = end;
  }
  if (group !== undefined) yield group;
}
