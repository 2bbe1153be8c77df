import type { Terminal } from './terminal.js';
import { truncate } from './terminal.js';

export interface ProgressState {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** Such as `212 chunks` and `41 chunks/s`. On a narrow terminal the first ones give way. */
  readonly details?: readonly string[];
}

/** One line that is redrawn on a terminal, and nothing where the output is piped. */
export interface ProgressBar {
  update(state: ProgressState): void;
  /** Prints lines above the bar. */
  print(text: string): void;
  clear(): void;
}

const redrawMs = 80;
const [leastBarColumns, mostBarColumns] = [8, 22];

export function createProgressBar(terminal: Terminal, now: () => number = Date.now): ProgressBar {
  const startedAt = now();
  let drawnAt = 0;
  let current: ProgressState | undefined;

  const clear = () => {
    if (terminal.isInteractive && current !== undefined) terminal.write('\r\u001b[2K');
  };
  const draw = () => {
    if (!terminal.isInteractive || current === undefined) return;
    const { label, done, total, unit, details = [] } = current;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const elapsedSeconds = (now() - startedAt) / 1000;
    const left = share > 0.02 && share < 1 ? [`${duration((elapsedSeconds / share) * (1 - share))} left`] : [];
    const room = terminal.columns - label.length - 5;
    const line = (from: number) =>
      [`${count(done)}/${count(total)} ${unit}`, ...details.slice(from), ...left].join(' · ');
    let from = 0;
    while (from < details.length && line(from).length > room - leastBarColumns) from += 1;
    const numbers = truncate(line(from), room - leastBarColumns);
    const columns = Math.min(mostBarColumns, room - numbers.length);
    const filled = Math.round(share * columns);
    const bar = terminal.style('green', '━'.repeat(filled)) + terminal.style('dim', '─'.repeat(columns - filled));
    terminal.write(`\r\u001b[2K  ${label} ${bar} ${numbers}`);
    drawnAt = now();
  };

  return {
    update(state) {
      current = state;
      if (now() - drawnAt >= redrawMs) draw();
    },
    print(text) {
      clear();
      terminal.line(text);
      draw();
    },
    clear() {
      clear();
      current = undefined;
    },
  };
}

/** 12345 → `12,345` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 chunk`, `2 chunks`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Seconds as people say them: `0.4 s`, `38 s`, `4 min 10 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Bytes in the unit that reads best. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
