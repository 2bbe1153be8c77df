import type { Analyser } from '@aquifer/contracts';
import type { AnswerUnit } from './answer-units.js';

const upTo = /\b(?:up to|at most|maximum|max\.?|until|under|below|less than)\b|以下|まで|未満|以内/iu;
const over = /\b(?:above|over|more than|from|at least|exceeding)\b|超|以上/iu;
/** An amount, and not a part of a code, a version or a date. */
const amount = /(?<![\p{L}\d.,-])\d[\d,]*(?:\.\d+)?(?![\d-])/gu;
const year =
  /(?<![\p{N}.,€$£¥])(?<!\b(?:EUR|USD|JPY|GBP) )(?:19|20)\d\d(?![\p{N},]|\s*(?:euros?|dollars?|yen|pounds|EUR|USD|JPY|GBP|[€円%]))/gu;

/** The cells of a row, without the white space and the outer bars of Markdown. */
export function cells(row: string): string[] {
  return row
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/\||\t/)
    .map((cell) => cell.trim());
}

/** A cell that can be the answer. */
export interface AnswerCell {
  readonly text: string;
  /** Share of the terms of its column's name that the question says: 1 where the column is what is asked for. */
  readonly focus: number;
}

/**
 * The cells of a row whose column is named with the question's terms: the answer, where the row is the right one. A
 * cell that holds terms of the question itself says which row it is, and is none.
 */
export function answerCells(unit: AnswerUnit, asked: ReadonlySet<string>, analyser: Analyser): AnswerCell[] {
  if (unit.header === '') return [];
  const texts = cells(unit.text);
  return cells(unit.header).flatMap((name, column) => {
    const text = texts[column] ?? '';
    const terms = analyser.terms(name);
    const known = terms.filter((term) => asked.has(term)).length;
    const isRowName = analyser.terms(text).some((term) => asked.has(term) && !/^\d/.test(term));
    return text === '' || known === 0 || isRowName ? [] : [{ text, focus: known / terms.length }];
  });
}

/**
 * The rows whose range holds an amount of the question: of rows that go "up to" an amount, the first that is large enough;
 * otherwise the one for everything above. Rows that name the amount itself are found as words are.
 */
export function coveringRows(units: readonly AnswerUnit[], question: string): Set<AnswerUnit> {
  const found = new Set<AnswerUnit>();
  const asked = numbers(question.replace(year, ''))[0];
  if (asked === undefined) return found;
  const tables = new Map<string, AnswerUnit[]>();
  for (const unit of units) {
    if (unit.header === '') continue;
    const key = `${unit.passage}\n${unit.heading}\n${unit.header}`;
    const rows = tables.get(key);
    if (rows === undefined) tables.set(key, [unit]);
    else rows.push(unit);
  }
  for (const rows of tables.values()) {
    const column = cells(rows[0]!.header).findIndex((name) => upTo.test(name));
    let best: { readonly row: AnswerUnit; readonly bound: number } | undefined;
    let above: AnswerUnit | undefined;
    for (const row of rows) {
      const values = cells(row.text);
      const cell = values[Math.max(column, 0)] ?? '';
      const bound = numbers(cell)[0];
      if (bound === undefined) continue;
      if (over.test(cell)) {
        if (asked > bound) above = row;
      } else if (
        (column >= 0 || upTo.test(cell)) &&
        asked <= bound &&
        bound < (best?.bound ?? Number.POSITIVE_INFINITY)
      ) {
        best = { row, bound };
      }
    }
    const row = best?.row ?? above;
    if (row !== undefined) found.add(row);
  }
  return found;
}

function numbers(text: string): number[] {
  return (text.normalize('NFKC').match(amount) ?? []).map((value) => Number(value.replaceAll(',', '')));
}
