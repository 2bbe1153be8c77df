import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  AquiferError,
  type Chunk,
  type Chunker,
  type DocumentReader,
  type DocumentRecord,
  type Embedder,
  embeddedText,
  parseMetadata,
  type Source,
  type SourceItem,
  type Store,
} from '@aquifer/contracts';
import {
  createFolderSource,
  createIngestor,
  type IngestionEvent,
  type IngestionRunOptions,
  type IngestionSummary,
  type IngestorOptions,
} from '@aquifer/ingestion';
import { openLocalStore } from '@aquifer/local-store';
import { createAnalyser } from '@aquifer/text-analysis';

const dimensions = 16;
const fingerprint = { provider: 'test', model: 'hash', dimensions, normalised: false };

export interface Counts {
  /** Files whose bytes were asked for. */
  opened: number;
  /** Files that were parsed. */
  extracted: number;
  /** Texts that the embedder was given. */
  readonly embedded: string[];
}

/**
 * Reads `.txt`: the first line may be `# a title`. `DAMAGED` in a file makes it unreadable, `SCANS` leaves out a part of it.
 */
function createTextReader(counts: Counts): DocumentReader {
  return {
    mediaType: (name) => (/\.(txt|text)$/.test(name) ? 'text/plain' : undefined),
    async read({ bytes, name }) {
      counts.extracted += 1;
      const text = Buffer.from(bytes).toString();
      if (text.includes('DAMAGED')) throw new AquiferError('invalid-document', `${name} is damaged.`);
      const title = /^# (.+)$/m.exec(text)?.[1];
      return {
        text: text.replaceAll('SCANS', ''),
        ...(title === undefined ? {} : { title }),
        blocks: [],
        pages: [],
        metadata: { reader: 'text' },
        omissions: text.includes('SCANS') ? ['1 of 2 pages is a scan'] : [],
        mediaType: 'text/plain',
      };
    },
    async close() {},
  };
}

/** One chunk a paragraph. */
function createParagraphChunker(fingerprint: string): Chunker {
  return {
    fingerprint,
    chunk({ documentId, title, extracted: { text } }) {
      const chunks: Chunk[] = [];
      const seen = new Map<string, number>();
      for (const match of text.matchAll(/[^\n]+/g)) {
        const slice = match[0];
        const embedded = embeddedText({ context: title, tableHeader: '', text: slice });
        const occurrence = seen.get(embedded) ?? 0;
        seen.set(embedded, occurrence + 1);
        const start = match.index;
        chunks.push({
          id: createHash('sha256').update(`${documentId}\n${occurrence}\n${embedded}`).digest('hex').slice(0, 32),
          documentId,
          ordinal: chunks.length,
          start,
          end: start + slice.length,
          headings: [],
          text: slice,
          context: title,
          tableHeader: '',
          tokens: Math.ceil(embedded.length / 4),
        });
      }
      return chunks;
    },
  };
}

/** Vectors that stand for their text and nothing else. `TOO LARGE` in a text is too large; `IN PARTS` is taken in two; `NO MODEL` breaks the model. */
function createHashEmbedder(counts: Counts, { msPerText = 0, onEmbedded }: FixtureOptions): Embedder {
  return {
    fingerprint,
    dimensions,
    maxInputTokens: 10_000,
    fusionWeight: 0.5,
    async embed(texts, { signal }) {
      if (msPerText > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, msPerText * texts.length);
          signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      if (signal?.aborted) throw new AquiferError('aborted', 'The operation was cancelled.');
      for (const text of texts) {
        if (text.includes('TOO LARGE')) throw new AquiferError('too-large', 'A text is too large for the model.');
        if (text.includes('NO MODEL')) throw new AquiferError('model-not-found', 'There is no such model.');
      }
      counts.embedded.push(...texts);
      onEmbedded?.(texts);
      const vectors = texts.map((text) => {
        const bytes = createHash('sha256').update(text).digest();
        return Float32Array.from({ length: dimensions }, (_, index) => (bytes[index] ?? 0) - 127.5);
      });
      const parts = texts.map((text) => (text.includes('IN PARTS') ? 2 : 1));
      return { vectors, tokens: texts.map((text) => text.length), parts };
    },
  };
}

export interface FixtureOptions {
  /** An existing folder; made when left out. Holds `files` and `index`. */
  readonly folder?: string;
  /** How long the embedder takes. */
  readonly msPerText?: number;
  /** Told of every text that the embedder has embedded. */
  readonly onEmbedded?: (texts: readonly string[]) => void;
}

export interface Fixture {
  readonly folder: string;
  readonly files: string;
  readonly location: string;
  readonly store: Store;
  readonly counts: Counts;
  /** Writes a file, dated a minute or more ago, so that nothing depends on how quickly a test runs. */
  write(path: string, text: string): void;
  read(path: string): string;
  remove(path: string): void;
  source(options?: { readonly paths?: readonly string[] }): Source;
  /** Runs the ingestion; counts start from 0. */
  index(
    options?: RunFixtureOptions,
  ): Promise<{ readonly summary: IngestionSummary; readonly events: IngestionEvent[] }>;
  /** Starts two runs of one ingestor without waiting for the first. */
  indexTwiceAtOnce(): Promise<IngestionSummary[]>;
  documents(): Promise<DocumentRecord[]>;
  document(path: string): Promise<DocumentRecord>;
  /** All that the index holds but the times. */
  content(): Promise<unknown>;
  close(): Promise<void>;
}

export interface RunFixtureOptions extends IngestionRunOptions, Partial<IngestorOptions> {
  readonly source?: Source;
  readonly chunkerFingerprint?: string;
}

/** A temporary folder of files, a local store and an ingestor of simple parts whose work can be counted. */
export async function createIngestionFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const folder = options.folder ?? realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-ingestion-')));
  const [files, location] = [join(folder, 'files'), join(folder, 'index')];
  mkdirSync(files, { recursive: true });
  const store = await openLocalStore({ location, analyser: createAnalyser() });
  if ((await store.readManifest()) === undefined) {
    await store.writeManifest({
      schemaVersion: 1,
      knowledgeBase: { id: '0123456789', name: 'test' },
      embedder: fingerprint,
      chunker: 'paragraphs',
      analyser: createAnalyser().version,
      metric: 'cosine',
      createdAt: Date.now(),
    });
  }
  const counts: Counts = { opened: 0, extracted: 0, embedded: [] };
  const reader = createTextReader(counts);
  const embedder = createHashEmbedder(counts, options);
  let writes = 0;

  async function documents(): Promise<DocumentRecord[]> {
    const records = await store.listDocuments({ limit: 100_000 });
    return records.sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  const fixture: Fixture = {
    folder,
    files,
    location,
    store,
    counts,
    write(path, text) {
      const file = join(files, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      writes += 1;
      const seconds = Math.floor(Date.now() / 1_000) - 100_000 + writes + (statSync(file).ino % 1_000);
      utimesSync(file, seconds, seconds);
    },
    read: (path) => readFileSync(join(files, path), 'utf8'),
    remove: (path) => rmSync(join(files, path), { recursive: true }),
    source: ({ paths } = {}) =>
      createFolderSource({
        root: files,
        ...(paths === undefined ? {} : { paths }),
        recognises: (name) => reader.mediaType(name) !== undefined,
        parseSidecar: (bytes, name) =>
          parseMetadata(JSON.parse(Buffer.from(bytes).toString()).metadataAttributes, name),
      }),
    async index({ source = fixture.source(), chunkerFingerprint = 'paragraphs', ...run } = {}) {
      Object.assign(counts, { opened: 0, extracted: 0 });
      counts.embedded.length = 0;
      const events: IngestionEvent[] = [];
      const chunker = createParagraphChunker(chunkerFingerprint);
      const ingestor = createIngestor({ store, reader, chunker, embedder, ...run });
      const onEvent = (event: IngestionEvent) => {
        events.push(event);
        run.onEvent?.(event);
      };
      const summary = await ingestor.run(countReads(source, counts), { ...run, onEvent });
      return { summary, events };
    },
    async indexTwiceAtOnce() {
      const ingestor = createIngestor({ store, reader, chunker: createParagraphChunker('paragraphs'), embedder });
      return await Promise.all([ingestor.run(fixture.source()), ingestor.run(fixture.source())]);
    },
    documents,
    async document(path) {
      const record = (await documents()).find(({ source }) => source === path);
      if (record === undefined) throw new Error(`There is no document ${path}.`);
      return record;
    },
    async content() {
      const stats = await store.stats();
      return {
        documents: await Promise.all(
          (await documents()).map(async ({ indexedAt: _, ...record }) => ({
            record,
            content: await store.getContent(record.id),
            chunks: await store.listChunks(record.id),
          })),
        ),
        stats: { ...stats, bytes: 0, generation: 0, cachedEmbeddings: 0 },
      };
    },
    async close() {
      await store.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
  return fixture;
}

/** The same source, each reading of a file counted. */
function countReads(source: Source, counts: Counts): Source {
  return wrapSource(source, (item) => ({
    ...item,
    read(signal) {
      counts.opened += 1;
      return item.read(signal);
    },
  }));
}

/** The same source with other items; `undefined` leaves one out. */
export function wrapSource(source: Source, wrap: (item: SourceItem) => SourceItem | undefined): Source {
  return {
    ...source,
    async *list(signal) {
      for await (const entry of source.list(signal)) {
        const wrapped = 'omitted' in entry ? entry : wrap(entry);
        if (wrapped !== undefined) yield wrapped;
      }
    },
  };
}
