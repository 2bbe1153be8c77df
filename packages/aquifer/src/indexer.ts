import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  AquiferError,
  type Chunker,
  type DocumentReader,
  type Embedder,
  type Source,
  type Store,
  throwIfAborted,
} from '@aquifer/contracts';
import { createDocumentReader, parseSidecar, readerFingerprint, recognitionFingerprint } from '@aquifer/documents';
import {
  createFolderSource,
  createIngestor,
  type IngestionStore,
  type IngestionSummary,
  type Ingestor,
} from '@aquifer/ingestion';
import { planFolderRuns, type RequestedPath } from './folder-roots.js';
import { isSameSelection, readFolderRoots, selectionFor, writeFolderRoots } from './folder-selection.js';
import type { IndexOptions, KnowledgeBaseOptions } from './knowledge-base.js';

/** Runs the ingestion of paths and sources. The heavy parts (readers, tokenizer) are made when they are first needed. */
export interface Indexer {
  index(what: string | readonly string[] | Source, options: IndexOptions): Promise<IngestionSummary>;
  close(): Promise<void>;
}

/** What an indexer needs of a store. */
export type IndexerStore = IngestionStore & Pick<Store, 'readValue' | 'writeValue'>;

export interface IndexerOptions
  extends Pick<KnowledgeBaseOptions, 'threads' | 'readTimeoutMs' | 'readMemoryMb' | 'maxFileMb' | 'passwords'> {
  readonly store: IndexerStore;
  readonly location: string;
  readonly embedder: Embedder;
  readonly chunker: Chunker;
  /** Absent: OCR is off. */
  readonly ocrLanguages?: readonly string[] | undefined;
}

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

  async function planFolders(paths: readonly string[], indexOptions: IndexOptions) {
    const requested = await Promise.all(paths.map(resolveRequested));
    const known = await readFolderRoots(store);
    const runs = planFolderRuns(
      known.map(({ uri }) => fileURLToPath(uri)),
      requested,
    );
    const { reader } = open();
    const planned = runs.map(({ root, paths: covered, exclude: otherRoots }) => {
      const uri = pathToFileURL(root).href;
      const recorded = known.find((folder) => folder.uri === uri);
      const isAsked = requested.some(({ path }) => path === root);
      const coverage = isAsked ? 'asked-for' : covered.includes(root) ? 'below-what-was-asked-for' : 'part-asked-for';
      const selection = selectionFor(recorded, indexOptions, root, coverage);
      const source = createFolderSource({
        root,
        paths: covered,
        recognises: (name) => reader.mediaType(name) !== undefined,
        parseSidecar,
        ...selection,
        // The index itself may lie inside the folder that is indexed.
        without: [...otherRoots, location],
        onFolders: indexOptions.onFolders,
      });
      return { source, recorded, root: { uri, ...selection } };
    });
    const untouched = known.filter(({ uri }) => !planned.some(({ root }) => root.uri === uri));
    return { planned, untouched };
  }

  async function indexFolders(paths: readonly string[], indexOptions: IndexOptions): Promise<IngestionSummary[]> {
    const { planned, untouched } = await planFolders(paths, indexOptions);
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
    for (const { source } of planned) summaries.push(await open().ingestor.run(source, indexOptions));
    await record(true);
    return summaries;
  }

  return {
    async index(what, indexOptions) {
      throwIfAborted(indexOptions.signal);
      const isSource = (value: typeof what): value is Source => typeof value === 'object' && 'list' in value;
      const summaries = isSource(what)
        ? [await open().ingestor.run(what, indexOptions)]
        : await indexFolders(typeof what === 'string' ? [what] : what, indexOptions);
      const [first, ...rest] = summaries;
      if (first === undefined) throw new AquiferError('invalid-options', 'Name at least one file or folder to index.');
      return rest.reduce(addSummaries, first);
    },
    async close() {
      await opened?.reader.close();
    },
  };
}

async function resolveRequested(path: string): Promise<RequestedPath> {
  try {
    const real = await realpath(path);
    return { path: real, isFolder: (await stat(real)).isDirectory() };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AquiferError(
      missing ? 'source-not-found' : 'source-unreadable',
      missing
        ? `There is no file or folder ${path}. Nothing was changed.`
        : `Cannot read ${path}: ${(error as Error).message}. Nothing was changed.`,
      { cause: error },
    );
  }
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
