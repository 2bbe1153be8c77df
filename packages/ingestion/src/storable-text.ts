/** The text with NUL and halves of surrogate pairs replaced by U+FFFD: no database and no UTF-8 file keeps them. */
export function storableText(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '\ufffd');
}
