/**
 * Scores texts against a query, better than the first stage and more slowly.
 *
 * A text's score depends on the query and the text alone. What is too long for the model is never cut silently: `rerank` scores a text by its
 * best part, or rejects with `too-large`. It also rejects with `aborted`, `model-not-found`, `model-failed`, and a model behind a network
 * with what an embedder of that kind rejects with. An empty list gives an empty list.
 */
export interface Reranker {
  readonly id: string;
  /** One score a text, in order; finite, higher is better. */
  rerank(
    query: string,
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly number[]>;
  /** What `rerank` of these is charged, in USD, as well as it can be known before. Absent where nobody charges, or the price is not known. */
  costUsd?(query: string, texts: readonly string[]): number;
  close?(): Promise<void>;
}
