/** Four characters of English are about one token of a language model, one character of Japanese is about one. */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let index = 0; index < text.length; index++) quarters += text.charCodeAt(index) < 0x2e80 ? 1 : 4;
  return Math.ceil(quarters / 4);
}
