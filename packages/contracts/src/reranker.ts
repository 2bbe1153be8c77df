/** Scores texts against a query, better than the first stage and more slowly. */
export interface Reranker {
  readonly id: string;
  /** One score a text, in order; higher is better. */
  rerank(
    query: string,
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly number[]>;
}
