import { createBuiltinEmbedder } from '../builtin-embedder.js';

const embedder = createBuiltinEmbedder({ dimensions: 256 });
/** A test server's model takes no more words of one text. */
export const maxWords = 100;

export function countWords(text: string): number {
  return Math.max(1, text.split(/\s+/).filter(Boolean).length);
}

/** What a test server answers to texts: the vectors of the built-in embedder, and a count of words for tokens. */
export async function embedTexts(texts: readonly string[]): Promise<{ vectors: number[][]; tokens: number }> {
  const { vectors } = await embedder.embed(texts, { purpose: 'query' });
  return {
    // Not of length 1, as many models' are not.
    vectors: vectors.map((vector) => Array.from(vector, (value) => value * 3)),
    tokens: texts.reduce((sum, text) => sum + countWords(text), 0),
  };
}
