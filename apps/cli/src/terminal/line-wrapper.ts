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

export function createLineWrapper(output: (text: string) => void, columns: number, indent = ''): LineWrapper {
  let column = 0;
  let word = '';

  const startLine = () => {
    output(indent);
    column = displayWidth(indent);
  };
  const flush = () => {
    if (word === '') return;
    const visible = word.trimEnd();
    if (column > displayWidth(indent) && column + displayWidth(visible) > columns && !sticksToPrevious.test(visible)) {
      output('\n');
      startLine();
      word = word.trimStart();
    }
    output(word);
    column += displayWidth(word);
    word = '';
  };

  startLine();
  return {
    write(text) {
      for (const character of text) {
        if (character === '\n') {
          flush();
          output('\n');
          startLine();
          continue;
        }
        word += character;
        if (breakable.test(character)) flush();
      }
    },
    end() {
      flush();
      output('\n');
    },
  };
}
