import type { DocumentReader, Embedder, SourceContent, Store } from '@aquifer/contracts';

/** The parts of the work on a document that are timed. */
export const stages = ['source', 'extract', 'embed', 'store'] as const;
export type Stage = (typeof stages)[number];

/** Adds up how long documents are in each stage; those that are in it at the same time count each. */
export interface StageClock {
  readonly seconds: Readonly<Record<Stage, number>>;
  source(read: () => Promise<SourceContent>): Promise<SourceContent>;
  reader(reader: DocumentReader): DocumentReader;
  embedder(embedder: Embedder): Embedder;
  store(store: Store): Store;
}

export function createStageClock(): StageClock {
  const seconds: Record<Stage, number> = { source: 0, extract: 0, embed: 0, store: 0 };
  const timed = async <Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      seconds[stage] += (performance.now() - startedAt) / 1000;
    }
  };
  return {
    seconds,
    source: (read) => timed('source', read),
    reader: (reader) => ({ ...reader, read: (input, options) => timed('extract', () => reader.read(input, options)) }),
    embedder: (embedder) => ({
      ...embedder,
      embed: (texts, options) => timed('embed', () => embedder.embed(texts, options)),
    }),
    store: (store) => ({
      ...store,
      replaceDocument: (write) => timed('store', () => store.replaceDocument(write)),
    }),
  };
}
