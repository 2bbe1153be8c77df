/** The numbers of the keyword leg that {@link Store} describes: every store ranks with the same ones. */
export const keywordRanking = {
  /** Of BM25 (Robertson and Zaragoza 2009): how soon more of the same term adds nothing. */
  k1: 1.2,
  /** Of BM25: how much a long chunk has to say a term more often. */
  b: 0.75,
  /** How often a term in a chunk's context or table header counts. */
  contextWeight: 3,
  /**
   * What two terms side by side add, beside 1 for each. Measured with bench/ranking.mjs: a fifth to three tenths bring half a point of nDCG@10
   * on average, and more than that takes it away again.
   */
  pairWeight: 0.25,
  /** Pairs count in queries of at most this many terms: in a question, not in a pasted document. */
  maxPairedTerms: 64,
  /** Distinct terms of a query that count: the rarest. This is for pasted documents, so that no query can take minutes. */
  maxQueryTerms: 1_000,
} as const;

/** What a term that `holding` of so many chunks hold is worth, by BM25. Never below zero, however common it is. */
export function inverseDocumentFrequency(chunks: number, holding: number): number {
  return Math.log(1 + (chunks - holding + 0.5) / (holding + 0.5));
}
