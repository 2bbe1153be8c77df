import { displayWidth, padTo } from './display-width.js';
import type { Terminal } from './terminal.js';
import { truncate } from './terminal.js';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** This column gives way when the terminal is narrow. */
  readonly shrinks?: boolean;
  /** This column is left out before another one shrinks to less than can be told apart. */
  readonly expendable?: boolean;
}

const legibleColumns = 24;
const leastColumns = 8;

/** Rows under their titles: on a terminal no wider than that, and whole where another program reads them. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) =>
    // Not by spreading, which has no room for the rows of a large index.
    rows.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? '')), displayWidth(column.title)),
  );
  const shown = new Set(columns.keys());
  const shrinking = columns.findIndex((column) => column.shrinks);
  if (terminal.isInteractive && shrinking >= 0) {
    const whole = widths[shrinking]!;
    const room = () =>
      terminal.columns - [...shown].reduce((sum, index) => sum + 2 + (index === shrinking ? 0 : widths[index]!), 0);
    for (let index = columns.length - 1; index >= 0 && room() < Math.min(whole, legibleColumns); index -= 1) {
      if (columns[index]?.expendable) shown.delete(index);
    }
    widths[shrinking] = Math.max(leastColumns, Math.min(whole, room()));
  }

  const render = (cells: readonly string[]) =>
    [...shown]
      .map((index) => {
        const column = columns[index]!;
        const cell = truncate(cells[index] ?? '', widths[index]!);
        return column.align === 'right'
          ? ' '.repeat(widths[index]! - displayWidth(cell)) + cell
          : padTo(cell, widths[index]!);
      })
      .join('  ')
      .trimEnd();
  return [
    terminal.style('dim', `  ${render(columns.map((column) => column.title))}`),
    ...rows.map((row) => `  ${render(row)}`),
  ];
}
