/** AWS's figure for its Titan models; other vocabularies are near it. */
const latinCharactersPerToken = 4.7;
/** Kanji, kana, hangul: seldom more than one to a token. */
const wideCharacters = /[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60]/g;

/**
 * About how many tokens a text has, where the model's vocabulary is not at hand. Good enough to wait for a quota and to cut a text, never
 * shown as a count.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html
 */
export function estimateTokens(text: string): number {
  const wide = text.match(wideCharacters)?.length ?? 0;
  return Math.max(1, Math.ceil((text.length - wide) / latinCharactersPerToken + wide));
}
