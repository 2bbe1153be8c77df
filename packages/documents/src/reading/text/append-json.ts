import { throwIfAborted } from '@aquifer/contracts';
import { appendTable } from '../table-rows.js';
import type { TextBuilder } from '../text-builder.js';

/** A text longer than this, or with lines, is prose: a paragraph of its own. */
const maxInlineLength = 200;
/** What has at most so many values is one paragraph, however they are nested. */
const maxLinesTogether = 16;
const maxColumns = 40;
/** Rows by which a list of objects is known to be a table. */
const sampledRows = 200;

interface Task {
  readonly value: unknown;
  readonly depth: number;
  /** Empty for the whole. */
  readonly heading: string;
}

/**
 * Adds a JSON value as people read one: members as `name: value`, those with much inside under a heading, lists of like
 * objects as a table with the names as header. Every value is there with its names. It does not recurse.
 */
export function appendJson(builder: TextBuilder, root: unknown, signal?: AbortSignal): void {
  const tasks: Task[] = [{ value: root, depth: 0, heading: '' }];
  let count = 0;
  for (let task = tasks.pop(); task; task = tasks.pop()) {
    if (++count % 4096 === 0) throwIfAborted(signal);
    const { value } = task;
    const lines = linesOf(value, '', maxLinesTogether);
    if (lines) {
      appendLines(builder, lines);
      continue;
    }
    // Deeper than headings go, only what is there is written.
    if (task.depth <= 6) builder.append('heading', task.heading, { level: Math.max(1, task.depth) });
    if (Array.isArray(value) && appendRows(builder, value)) continue;
    for (const inner of insideOf(value as object, task, builder).reverse()) tasks.push(inner);
  }
}

/** Adds what stands directly inside; returns what needs a heading or more. */
function insideOf(value: object, { depth, heading }: Task, builder: TextBuilder): Task[] {
  const isList = Array.isArray(value);
  const later: Task[] = [];
  let together: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const label = isList ? String(Number(name) + 1) : name;
    const lines = linesOf(member, isList ? '' : label, maxLinesTogether);
    if (!lines) {
      // The number of an item alone would say nothing.
      const inner = isList && depth > 0 && depth < 6 ? `${heading} ${label}` : label;
      later.push({ value: member, depth: depth + 1, heading: inner });
    } else if (isList && isContainer(member)) {
      // An item with several values stands by itself, so that they are not taken for those of its neighbour.
      appendLines(builder, lines);
    } else if (isList) {
      builder.append('list-item', lines.join('\n'), { level: 1, startsGroup: name === '0' });
    } else {
      together.push(...lines);
      if (together.length >= maxLinesTogether) {
        appendLines(builder, together);
        together = [];
      }
    }
  }
  appendLines(builder, together);
  return later;
}

function appendLines(builder: TextBuilder, lines: readonly string[]): void {
  let together: string[] = [];
  const flush = () => {
    if (together.length > 0) builder.append('paragraph', together.join('\n'));
    together = [];
  };
  for (const line of lines) {
    if (line.length <= maxInlineLength && !line.includes('\n')) {
      together.push(line);
      continue;
    }
    flush();
    for (const part of line.split(/\n\s*\n/)) builder.append('paragraph', part);
  }
  flush();
}

/** `address.city: Kyoto`, a line a value; undefined where there are more than `most` or a list of objects. */
export function linesOf(root: unknown, name: string, most: number): string[] | undefined {
  const lines: string[] = [];
  const stack: { readonly value: unknown; readonly name: string; readonly depth: number }[] = [
    { value: root, name, depth: 0 },
  ];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value } = next;
    if (!isContainer(value)) {
      const text = scalarText(value);
      if (text !== '') lines.push(next.name === '' ? text : `${next.name}: ${text}`);
    } else if (Array.isArray(value)) {
      if (value.length > 1000 || value.some(isContainer)) return undefined;
      const texts = value.map(scalarText);
      const joined = texts.join(', ');
      if (joined.length > maxInlineLength && texts.length > 1) return undefined;
      if (joined !== '') lines.push(next.name === '' ? joined : `${next.name}: ${joined}`);
    } else {
      const members = Object.entries(value as object);
      if (members.length > most || next.depth > 3) return undefined;
      for (const [key, member] of members.reverse()) {
        stack.push({ value: member, name: next.name === '' ? key : `${next.name}.${key}`, depth: next.depth + 1 });
      }
    }
    if (lines.length > most) return undefined;
  }
  return lines;
}

/** Rows of like objects, or undefined where they are no table: too different, nested, or full of prose. */
export function tableColumns(rows: readonly unknown[]): string[] | undefined {
  const sample = rows.slice(0, sampledRows);
  if (sample.length < 2) return undefined;
  const times = new Map<string, number>();
  for (const row of sample) {
    if (!isContainer(row) || Array.isArray(row)) return undefined;
    for (const [key, value] of Object.entries(row as object)) {
      if (cellText(value) === undefined) return undefined;
      times.set(key, (times.get(key) ?? 0) + 1);
    }
  }
  const columns = [...times.keys()];
  const filled = [...times.values()].reduce((sum, count) => sum + count, 0);
  // Hardly any holes.
  const isUniform = filled * 10 >= columns.length * sample.length * 7;
  return columns.length >= 2 && columns.length <= maxColumns && isUniform ? columns : undefined;
}

/** The cells of a row; undefined where it has members that are no cells or no columns. */
export function tableCells(row: unknown, columns: readonly string[]): string[] | undefined {
  if (!isContainer(row) || Array.isArray(row)) return undefined;
  const names = Object.keys(row as object);
  if (names.length > columns.length || !names.every((name) => columns.includes(name))) return undefined;
  const cells = columns.map((name) =>
    Object.hasOwn(row as object, name) ? cellText((row as Record<string, unknown>)[name]) : '',
  );
  return cells.some((cell) => cell === undefined) ? undefined : (cells as string[]);
}

function appendRows(builder: TextBuilder, rows: readonly unknown[]): boolean {
  const columns = tableColumns(rows);
  if (!columns) return false;
  const cells = rows.map((row) => tableCells(row, columns));
  if (cells.some((row) => row === undefined)) return false;
  appendTable(builder, { rows: [columns, ...(cells as string[][])], headerRow: 0 });
  return true;
}

function cellText(value: unknown): string | undefined {
  if (isContainer(value)) {
    const short =
      Array.isArray(value) && value.length <= 10 && !value.some(isContainer)
        ? value.map(scalarText).join(', ')
        : undefined;
    return short !== undefined && short.length <= maxInlineLength ? short : undefined;
  }
  const text = scalarText(value);
  return text.length <= maxInlineLength && !text.includes('\n') ? text : undefined;
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function scalarText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value).trim();
}
