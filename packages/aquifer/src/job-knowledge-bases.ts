import {
  AquiferError,
  type DocumentReader,
  type Embedder,
  type ErrorCode,
  isAquiferError,
  type Store,
} from '@aquifer/contracts';
import { createDocumentReader, readerFingerprint, recognitionFingerprint } from '@aquifer/documents';
import { assertSameProcessing, createDocumentIngestor, type DocumentIngestor } from '@aquifer/ingestion';
import type { JobClaim, TakenJob } from '@aquifer/postgres-store/job-worker';
import { createAnalyser } from '@aquifer/text-analysis';
import { chunkerFor } from './chunker-for.js';
import { assertReadableManifest, assertSameEmbedder, planBuild, readBuiltWith } from './index-manifest.js';
import type { KnowledgeBaseOptions } from './knowledge-base.js';
import { embedderFor, type OpenedEmbedder } from './models-by-name.js';
import { placeOf } from './open-store.js';
import type { IngestionJob, ReadingLimits } from './queue-handover.js';
import type { StageClock } from './stage-clock.js';

export type JobPartsOptions = Pick<KnowledgeBaseOptions, 'location' | 'threads' | 'passwords' | 'models'> & {
  /** Only knowledge bases that were built with this one. Default: with any that can be opened here. */
  readonly embedder?: string | Embedder | undefined;
  readonly concurrency: number;
  readonly clock: StageClock;
};

type JobPlace = Pick<TakenJob, 'tenant' | 'knowledgeBase' | 'claim'>;

/** The knowledge bases that a worker has jobs of, opened as they were built: nothing of a worker's own decides what becomes of a document. */
export interface JobKnowledgeBases {
  /** Uses the ingestor for one job. @throws `refused` errors, see {@link isRefusal}; `index-unavailable` */
  use<Result>(
    place: JobPlace,
    job: IngestionJob,
    work: (ingestor: DocumentIngestor) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

/** Knowledge bases that are kept open at once: each has connections of its own. */
const keptOpen = 8;

/** This machine, or how the worker was started, is not fit for the job; another worker may be. */
const refusalCodes: readonly ErrorCode[] = [
  'credentials-refused',
  'embedder-mismatch',
  'index-not-found',
  'index-outdated',
  'index-too-new',
  'invalid-options',
  'missing-dependency',
  'model-access-denied',
  'model-not-found',
  'source-not-found',
];

export const isRefusal = (error: unknown): error is AquiferError =>
  isAquiferError(error) && refusalCodes.includes(error.code);

interface Opened {
  readonly store: Store;
  ingestorFor(reading: ReadingLimits, claim: JobClaim): Promise<DocumentIngestor>;
}

export function createJobKnowledgeBases(options: JobPartsOptions): JobKnowledgeBases {
  const { clock, passwords } = options;
  const analyser = createAnalyser();
  const embedders = new Map<string, Promise<OpenedEmbedder>>();
  const readers = new Map<string, DocumentReader>();
  /** In order of last use. */
  const bases = new Map<string, { readonly opening: Promise<Opened>; users: number }>();

  function readerFor(limits: ReadingLimits, ocrLanguages: readonly string[] | undefined) {
    const key = JSON.stringify([limits.readTimeoutMs, limits.readMemoryMb, limits.maxFileMb, ocrLanguages]);
    let reader = readers.get(key);
    if (reader === undefined) {
      reader = createDocumentReader({
        threads: options.threads,
        timeoutMs: limits.readTimeoutMs,
        maxMemoryMb: limits.readMemoryMb,
        maxBytes: limits.maxFileMb === undefined ? undefined : Math.round(limits.maxFileMb * 2 ** 20),
        ocrLanguages,
      });
      readers.set(key, reader);
    }
    return clock.reader(reader);
  }

  async function open(tenant: string, knowledgeBase: string): Promise<Opened> {
    const url = new URL(options.location);
    url.searchParams.set('tenant', tenant);
    url.searchParams.set('name', knowledgeBase);
    url.searchParams.set('max', String(options.concurrency));
    const location = url.href;
    const { shown } = placeOf(location);
    // Here, because every command that never sees a database imports this file.
    const { openPostgresStore } = await import('@aquifer/postgres-store');
    const store = await openPostgresStore({ location, analyser });
    try {
      const [manifest, recorded] = [await store.readManifest(), await readBuiltWith(store)];
      if (manifest === undefined || recorded === undefined) {
        throw new AquiferError('index-not-found', `There is no knowledge base at ${shown} any more.`);
      }
      assertReadableManifest(manifest, analyser.version, shown);
      const builtWith = planBuild({ embedder: options.embedder }, recorded);
      const key = JSON.stringify([builtWith.embedderName, builtWith.embedderDimensions]);
      const opening = embedders.get(key) ?? embedderFor(options, builtWith);
      embedders.set(key, opening);
      opening.catch(() => embedders.delete(key));
      const { embedder } = await opening;
      assertSameEmbedder(manifest, embedder, builtWith.embedderName, shown);
      const chunker = await chunkerFor(embedder, builtWith);
      return {
        store,
        ingestorFor: async (limits, claim) =>
          createDocumentIngestor({
            store: clock.store(store.claimedBy(claim)),
            reader: readerFor(limits, builtWith.ocrLanguages),
            chunker,
            embedder: clock.embedder(embedder),
            passwords,
            readerFingerprint,
            recognitionFingerprint: recognitionFingerprint(builtWith.ocrLanguages),
          }),
      };
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async function closeUnused(): Promise<void> {
    for (const [key, { opening, users }] of bases) {
      if (bases.size <= keptOpen) return;
      if (users > 0) continue;
      bases.delete(key);
      await opening.then(({ store }) => store.close()).catch(() => {});
    }
  }

  async function useOnce<Result>(
    { tenant, knowledgeBase, claim }: JobPlace,
    job: IngestionJob,
    work: (ingestor: DocumentIngestor) => Promise<Result>,
  ): Promise<Result> {
    const key = JSON.stringify([tenant, knowledgeBase]);
    const base = bases.get(key) ?? { opening: open(tenant, knowledgeBase), users: 0 };
    bases.delete(key);
    bases.set(key, base);
    base.users += 1;
    try {
      const { ingestorFor } = await base.opening;
      const ingestor = await ingestorFor(job.reading, claim);
      assertSameProcessing(job.handed, ingestor);
      return await work(ingestor);
    } catch (error) {
      // What it was opened with may have changed since.
      if (isRefusal(error) && bases.get(key) === base) {
        bases.delete(key);
        base.opening.then(({ store }) => store.close()).catch(() => {});
      }
      throw error;
    } finally {
      base.users -= 1;
      await closeUnused();
    }
  }

  return {
    async use(place, job, work) {
      try {
        return await useOnce(place, job, work);
      } catch (error) {
        // Opened anew: the knowledge base may have got other chunks, OCR or another embedder since it was opened here.
        if (!isAquiferError(error, 'invalid-options') && !isAquiferError(error, 'embedder-mismatch')) throw error;
        return await useOnce(place, job, work);
      }
    },
    async close() {
      for (const { opening } of bases.values()) await opening.then(({ store }) => store.close()).catch(() => {});
      for (const reader of readers.values()) await reader.close();
      for (const opening of embedders.values()) await opening.then(({ close }) => close()).catch(() => {});
    },
  };
}
