/**
 * About how many tokens a language model makes of a text: four characters of English are one, one character of Japanese is one. For models whose
 * tokenizer is not at hand.
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let index = 0; index < text.length; index++) quarters += text.charCodeAt(index) < 0x2e80 ? 1 : 4;
  return Math.ceil(quarters / 4);
}
