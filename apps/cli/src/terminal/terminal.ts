import { styleText } from 'node:util';
import { displayWidth } from './display-width.js';

type Style = Parameters<typeof styleText>[0];

/** Where people read: knows its width and whether it may use colour. */
export interface Terminal {
  readonly columns: number;
  /** Whether lines may be redrawn. */
  readonly isInteractive: boolean;
  style(style: Style, text: string): string;
  write(text: string): void;
  line(text?: string): void;
}

export interface TerminalOptions {
  readonly stream: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const fallbackColumns = 100;

/** Colour follows no-color.org: none where `NO_COLOR` is set or the output is piped, unless `FORCE_COLOR` is set. */
export function createTerminal({ stream, environment }: TerminalOptions): Terminal {
  const isInteractive = stream.isTTY === true && environment.TERM !== 'dumb';
  const forced = environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '0';
  const coloured = (isInteractive || forced) && !environment.NO_COLOR;
  const write = (text: string) => {
    stream.write(text);
  };
  return {
    get columns() {
      return Math.max(40, stream.columns ?? fallbackColumns);
    },
    isInteractive,
    style: (style, text) => (coloured && text ? styleText(style, text, { validateStream: false }) : text),
    write,
    line: (text = '') => write(`${text}\n`),
  };
}

/** Cuts to at most `columns` columns, with an ellipsis where something was cut. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let width = 0;
  let result = '';
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns - 1) break;
    result += character;
  }
  return `${result.trimEnd()}…`;
}

/**
 * Text on one line, with what could move the cursor or recolour the terminal removed: file names and document text are
 * other people's bytes.
 */
export function plainLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/**
 * A file name or path as it can be typed and told apart, on one line: what could move the cursor or recolour the terminal is
 * written as `\\n`, `\\x1b` or `\\u202e`.
 */
export function plainName(name: string): string {
  return name.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    const code = character.charCodeAt(0).toString(16);
    return short ?? (code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`);
  });
}
