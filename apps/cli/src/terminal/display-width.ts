import { eastAsianWidth } from 'get-east-asian-width';

// Combining marks and joiners take no column.
const zeroWidth = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u;

/** Columns that `text` takes on a terminal: two for a full-width character (Unicode UAX #11). */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x300) width += 1;
    else if (!zeroWidth.test(character)) width += eastAsianWidth(code);
  }
  return width;
}

/** `text` followed by spaces up to `columns`. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}
