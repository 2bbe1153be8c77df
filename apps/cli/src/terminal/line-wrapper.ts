import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from './display-width.js';

/** Wraps text that arrives in pieces, at spaces and between characters of scripts that do not use them. */
export interface LineWrapper {
  write(text: string): void;
  /** Writes what is still held back and ends the line. */
  end(): void;
}

// A place to break after: white space, or a character of a script written without spaces.
const breakable = /[\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー、。，．！？」』）]/u;
// Never begin a line with closing punctuation.
const sticksToPrevious = /^[、。，．！？」』）ー,.;:!?)\]]/u;

export function createLineWrapper(output: (text: string) => void, columns: number): LineWrapper {
  let column = 0;
  let gap = '';
  let word = '';

  const newLine = () => {
    output('\n');
    column = 0;
    gap = '';
  };
  const flush = () => {
    const visible = word.trimEnd();
    // Colours take no column.
    const width = displayWidth(stripVTControlCharacters(visible));
    if (visible !== '') {
      const fits = column + gap.length + width <= columns;
      if (column > 0 && !fits && !sticksToPrevious.test(visible)) newLine();
      output(gap + visible);
      column += gap.length + width;
      gap = '';
    }
    // Written before the next word, or not at all where the line ends.
    if (column > 0 && word !== visible) gap = ' ';
    word = '';
  };

  return {
    write(text) {
      for (const character of text) {
        if (character === '\n') {
          flush();
          newLine();
          continue;
        }
        word += character;
        if (breakable.test(character)) flush();
      }
    },
    end() {
      flush();
      newLine();
    },
  };
}
