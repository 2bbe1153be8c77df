import { displayWidth, padTo } from './display-width.js';
import type { Terminal } from './terminal.js';
import { truncate } from './terminal.js';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** This column gives way when the terminal is narrow. */
  readonly shrinks?: boolean;
}

/** Rows under their titles, no wider than the terminal. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(row[index] ?? ''))),
  );
  const surplus = widths.reduce((sum, width) => sum + width + 2, 2) - terminal.columns;
  const shrinking = columns.findIndex((column) => column.shrinks);
  if (surplus > 0 && shrinking >= 0) widths[shrinking] = Math.max(12, widths[shrinking]! - surplus);

  const render = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
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
