import { AquiferError, type Embedder, isAquiferError, throwIfAborted } from '@aquifer/contracts';

export interface QueryEmbedding {
  /** Undefined where the query holds nothing that the embedder knows: a zero vector has no cosine. */
  readonly vector: Float32Array | undefined;
  /** How much of the query was embedded, in UTF-16 units: less than all of it where it is longer than the embedder takes. */
  readonly embeddedLength: number;
  /** That were sent to the model: none where the query is remembered. */
  readonly tokens: number;
}

export interface QueryEmbeddings {
  /** @throws what the embedder fails with, but for `too-large`. */
  embed(query: string, signal?: AbortSignal): Promise<QueryEmbedding>;
}

/**
 * Embeds queries, and remembers the ones seen last: people page, filter and repeat themselves.
 *
 * A query over the embedder's token limit is embedded up to that limit: the beginning of a long question is the question,
 * and the keyword leg still sees all of it. The caller says so to the user.
 */
export function createQueryEmbeddings(
  embedder: Embedder,
  options: { readonly capacity?: number } = {},
): QueryEmbeddings {
  const capacity = options.capacity ?? 256;
  const remembered = new Map<string, QueryEmbedding>();
  return {
    async embed(query, signal) {
      const known = remembered.get(query);
      if (known) {
        remembered.delete(query);
        remembered.set(query, known);
        return known;
      }
      const embedding = await embedHead(embedder, query, signal);
      if (remembered.size >= capacity) remembered.delete(remembered.keys().next().value!);
      remembered.set(query, { ...embedding, tokens: 0 });
      return embedding;
    },
  };
}

async function embedHead(embedder: Embedder, query: string, signal: AbortSignal | undefined): Promise<QueryEmbedding> {
  let head = query;
  for (;;) {
    throwIfAborted(signal);
    const counted = embedder.tokenCounter?.count(head) ?? 0;
    if (counted <= embedder.maxInputTokens) {
      try {
        const { vectors, tokens } = await embedder.embed([head], { purpose: 'query', signal });
        const vector = checkedVector(vectors[0], embedder);
        return { vector, embeddedLength: head.length, tokens: tokens[0] ?? 0 };
      } catch (error) {
        if (!isAquiferError(error, 'too-large') || head.length <= 1) throw error;
      }
    }
    // Without a count, half of it; with one, a little less than the share that fits.
    const share = counted > embedder.maxInputTokens ? (embedder.maxInputTokens / counted) * 0.95 : 0.5;
    head = beginning(head, Math.max(1, Math.floor(head.length * share)));
  }
}

/** The first `length` units or a little fewer, not in the middle of a character or, where there are spaces, of a word. */
function beginning(text: string, length: number): string {
  const space = text.lastIndexOf(' ', length);
  let end = space > length * 0.8 ? space : length;
  if (end > 1 && /[\ud800-\udbff]/.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}

function checkedVector(vector: Float32Array | undefined, embedder: Embedder): Float32Array | undefined {
  if (vector?.length !== embedder.dimensions || !vector.every(Number.isFinite)) {
    throw new AquiferError(
      'model-failed',
      `The embedder ${embedder.fingerprint.model} did not return ${embedder.dimensions} finite numbers for the query.`,
    );
  }
  return vector.some((value) => value !== 0) ? vector : undefined;
}
