import {
  AquiferError,
  type Chunker,
  type DocumentReader,
  type Embedder,
  type Source,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { createDocumentReader, readerFingerprint, recognitionFingerprint } from '@aquifer/documents';
import {
  createIngestor,
  type Handover,
  type IngestionRunOptions,
  type IngestionStore,
  type IngestionSummary,
  type Ingestor,
} from '@aquifer/ingestion';
import { isSameSelection, writeFolderRoots } from './folder-selection.js';
import type { IndexOptions, KnowledgeBase, KnowledgeBaseOptions, SeparateFolder } from './knowledge-base.js';
import { createRunSources } from './run-sources.js';

/** As {@link IndexOptions}, where the embedder has no name yet, and with what only the status is made of. */
export type IndexRunOptions = Omit<IndexOptions, 'onEmbedded'> & Pick<IngestionRunOptions, 'onEmbedded' | 'onUnlisted'>;

/** Runs the ingestion of paths and sources. The heavy parts (readers, tokenizer) are made when they are first needed. */
export interface Indexer {
  index(
    what: string | readonly string[] | Source | SeparateFolder,
    options: IndexRunOptions,
  ): Promise<IngestionSummary>;
  sourceOf: KnowledgeBase['sourceOf'];
  close(): Promise<void>;
}

/** What an indexer needs of a store. */
export type IndexerStore = IngestionStore & Pick<Store, 'readValue' | 'writeValue'>;

export interface IndexerOptions
  extends Pick<KnowledgeBaseOptions, 'threads' | 'readTimeoutMs' | 'readMemoryMb' | 'maxFileMb' | 'passwords' | 's3'> {
  readonly store: IndexerStore;
  readonly location: string;
  readonly embedder: Embedder;
  readonly chunker: Chunker;
  /** Absent: OCR is off. */
  readonly ocrLanguages?: readonly string[] | undefined;
  /** Who else may do the work; undefined where nobody does. */
  readonly openHandover?: ((options: IndexOptions) => Promise<Handover | undefined>) | undefined;
}

/** After a run that wrote so many chunks, nobody notices that the next file takes longer to begin. */
const longRunChunks = 20_000;

export function createIndexer(options: IndexerOptions): Indexer {
  const { store, location, embedder, chunker, passwords } = options;
  const maxFileBytes = options.maxFileMb === undefined ? undefined : Math.round(options.maxFileMb * 2 ** 20);
  let opened: { readonly reader: DocumentReader; readonly ingestor: Ingestor } | undefined;

  function open() {
    if (opened === undefined) {
      const reader = createDocumentReader({
        threads: options.threads,
        timeoutMs: options.readTimeoutMs,
        maxMemoryMb: options.readMemoryMb,
        maxBytes: maxFileBytes,
        ocrLanguages: options.ocrLanguages,
      });
      const ingestor = createIngestor({
        store,
        reader,
        chunker,
        embedder,
        passwords,
        readerFingerprint,
        recognitionFingerprint: recognitionFingerprint(options.ocrLanguages),
        maxDocumentBytes: maxFileBytes,
      });
      opened = { reader, ingestor };
    }
    return opened;
  }

  const sources = createRunSources({
    store,
    location,
    maxFileBytes,
    s3: options.s3,
    recognises: (name) => open().reader.mediaType(name) !== undefined,
  });

  async function indexFolders(paths: readonly string[], indexOptions: IndexRunOptions): Promise<IngestionSummary[]> {
    const { planned, untouched } = await sources.plan(paths, indexOptions);
    const record = async (isDone: boolean) => {
      if (indexOptions.dryRun) return;
      // A new selection of a known folder holds when its run is done: one that was refused changes nothing for the next.
      const roots = planned.map(({ root, recorded }) => (isDone ? root : (recorded ?? root)));
      const isChanged = planned.some(({ recorded }, index) => {
        return recorded === undefined ? !isDone : !isSameSelection(recorded, roots[index] ?? recorded);
      });
      if (isChanged) await writeFolderRoots(store, [...untouched, ...roots]);
    };
    await record(false);
    const summaries: IngestionSummary[] = [];
    for (const { source } of planned) {
      const handover = indexOptions.dryRun ? undefined : await options.openHandover?.(indexOptions);
      summaries.push(await open().ingestor.run(source, handover ? { ...indexOptions, handover } : indexOptions));
    }
    await record(true);
    return summaries;
  }

  return {
    async index(what, indexOptions) {
      throwIfAborted(indexOptions.signal);
      const isSource = (value: typeof what): value is Source => typeof value === 'object' && 'list' in value;
      const isSeparate = (value: typeof what): value is SeparateFolder =>
        typeof value === 'object' && 'folder' in value;
      const summaries =
        isSource(what) || isSeparate(what)
          ? [
              await open().ingestor.run(
                isSource(what) ? what : await sources.separate(what, indexOptions),
                indexOptions,
              ),
            ]
          : await indexFolders(typeof what === 'string' ? [what] : what, indexOptions);
      const [first, ...rest] = summaries;
      if (first === undefined)
        throw new AquiferError('invalid-options', 'Name at least one file, folder or s3://bucket to index.');
      const summary = rest.reduce(addSummaries, first);
      // What reading threads keep would stay beside what is saved at the end.
      if (summary.chunks >= longRunChunks) await opened?.reader.rest?.();
      return summary;
    },
    async sourceOf(folder, indexOptions = {}) {
      const source = await sources.separate(folder, indexOptions);
      return {
        ...source,
        async *list(signal) {
          for await (const item of source.list(signal)) {
            const mediaType = 'omitted' in item ? undefined : (item.mediaType ?? open().reader.mediaType(item.path));
            yield mediaType === undefined ? item : { ...item, mediaType };
          }
        },
      };
    },
    async close() {
      sources.close();
      await opened?.reader.close();
    },
  };
}

function addSummaries(left: IngestionSummary, right: IngestionSummary): IngestionSummary {
  const sum: Record<string, unknown> = { ...left };
  for (const [name, value] of Object.entries(right)) {
    const before = sum[name];
    if (typeof value === 'number') sum[name] = ((before as number | undefined) ?? 0) + value;
    else sum[name] = typeof value === 'string' && typeof before === 'string' ? `${before} ${value}` : value;
  }
  return sum as unknown as IngestionSummary;
}
