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
import { createDocumentReader, parseSidecar, readerFingerprint } from '@aquifer/documents';
import { createFolderSource, createIngestor, type IngestionSummary, type Ingestor } from '@aquifer/ingestion';
import { pathInRoot, planFolderRuns, type RequestedPath } from './folder-roots.js';
import type { IndexOptions, KnowledgeBaseOptions } from './knowledge-base.js';

const rootsKey = 'folder-roots';

/** Runs the ingestion of paths and sources. The heavy parts (readers, tokenizer) are made when they are first needed. */
export interface Indexer {
  index(what: string | readonly string[] | Source, options: IndexOptions): Promise<IngestionSummary>;
  close(): Promise<void>;
}

export interface IndexerOptions
  extends Pick<KnowledgeBaseOptions, 'threads' | 'readTimeoutMs' | 'readMemoryMb' | 'passwords'> {
  readonly store: Store;
  readonly location: string;
  readonly embedder: Embedder;
  readonly chunker: Chunker;
}

/** URIs of the folders that were indexed. */
export async function readFolderRoots(store: Store): Promise<string[]> {
  return ((await store.readValue(rootsKey)) as string[] | undefined) ?? [];
}

export async function writeFolderRoots(store: Store, roots: readonly string[]): Promise<void> {
  await store.writeValue(rootsKey, roots);
}

export function createIndexer(options: IndexerOptions): Indexer {
  const { store, location, embedder, chunker, passwords } = options;
  let opened: { readonly reader: DocumentReader; readonly ingestor: Ingestor } | undefined;

  function open() {
    if (opened === undefined) {
      const reader = createDocumentReader({
        threads: options.threads,
        timeoutMs: options.readTimeoutMs,
        maxMemoryMb: options.readMemoryMb,
      });
      opened = { reader, ingestor: createIngestor({ store, reader, chunker, embedder, passwords, readerFingerprint }) };
    }
    return opened;
  }

  async function folderSources(paths: readonly string[]): Promise<Source[]> {
    const requested = await Promise.all(paths.map(resolveRequested));
    const known = await readFolderRoots(store);
    const knownRoots = known.map((uri) => fileURLToPath(uri));
    const runs = planFolderRuns(knownRoots, requested);
    const { reader } = open();
    const sources = runs.map(({ root, paths: covered, exclude }) => {
      // The index itself may lie inside the folder that is indexed.
      const excluded = [...exclude, location].map((path) => pathInRoot(root, path));
      return createFolderSource({
        root,
        paths: covered,
        recognises: (name) => reader.mediaType(name) !== undefined,
        parseSidecar,
        exclude: (path, isFolder) => isFolder && excluded.includes(path),
      });
    });
    const roots = new Set([...known, ...runs.map(({ root }) => pathToFileURL(root).href)]);
    if (roots.size > known.length) await writeFolderRoots(store, [...roots]);
    return sources;
  }

  return {
    async index(what, indexOptions) {
      throwIfAborted(indexOptions.signal);
      const { ingestor } = open();
      const isSource = (value: typeof what): value is Source => typeof value === 'object' && 'list' in value;
      const sources = isSource(what) ? [what] : await folderSources(typeof what === 'string' ? [what] : what);
      let total: IngestionSummary | undefined;
      for (const source of sources) {
        const summary = await ingestor.run(source, indexOptions);
        total = total === undefined ? summary : addSummaries(total, summary);
      }
      if (total === undefined) throw new AquiferError('invalid-options', 'Name at least one file or folder to index.');
      return total;
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
  const sum = { ...left } as Record<string, number>;
  for (const [name, value] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + value;
  return sum as unknown as IngestionSummary;
}
