/**
 * About how many tokens a language model makes of a text: four characters of English are one, one character of Japanese is one. The
 * server half counts with it wherever Bedrock would have counted, so that limits, usage and CountTokens agree with each other.
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let index = 0; index < text.length; index++) quarters += text.charCodeAt(index) < 0x2e80 ? 1 : 4;
  return Math.ceil(quarters / 4);
}
