import { Worker } from 'node:worker_threads';
import { AquiferError, fromPlainError, keepingProcessAlive, throwIfAborted } from '@aquifer/contracts';
import type { IndexSummary, IndexUsage, IngestionEvent, IngestionProgress, KnowledgeBaseOptions } from 'aquifer';
import type { IndexingThreadData, IndexingThreadMessage } from './indexing-thread.js';
import { withWriter } from './with-writer.js';

/** A folder of this machine to bring the index up to date with. */
export interface FolderRun {
  readonly folder: string;
  /** Files and folders below it that this run covers. Default: all of it. */
  readonly paths?: readonly string[] | undefined;
  readonly maxDeletePercent: number;
}

export interface FolderRunOptions {
  readonly signal: AbortSignal;
  /** The index is open for writing: no other program writes it. */
  readonly onOpened: () => void;
  readonly onProgress: (progress: IngestionProgress) => void;
  readonly onEvent: (event: IngestionEvent) => void;
  readonly onEmbedded?: (usage: IndexUsage) => void;
}

/** Without clients of models and functions, which do not cross to a thread, and which the built-in embedder and a folder do not need. */
export type PlainOptions = Omit<KnowledgeBaseOptions, 'embedder' | 'model' | 'reranker' | 'models' | 's3'>;

/**
 * Opens a knowledge base, brings it up to date with a folder and closes it again.
 *
 * Chunking, the built-in embedder and the analyser of the index work on the thread that calls them, and this one answers requests. So they
 * get a thread of their own, of a lower priority where the system has such. Only an embedder behind a network stays here: what it is sent is
 * paced together with the questions that are embedded, and the rest of the work is little beside it.
 *
 * @param embedder Name of the embedder that the index is built with.
 * @throws what `openKnowledgeBase` and `KnowledgeBase.index` throw; `aborted`
 */
export async function indexFolder(
  options: KnowledgeBaseOptions,
  embedder: string,
  run: FolderRun,
  listeners: FolderRunOptions,
): Promise<IndexSummary> {
  throwIfAborted(listeners.signal);
  if (embedder === 'builtin' && typeof options.embedder !== 'object') return indexOnThread(options, run, listeners);
  return withWriter(options, (opened) => {
    const { signal, onOpened, onProgress, onEvent, onEmbedded } = listeners;
    const { folder, paths, maxDeletePercent } = run;
    onOpened();
    return opened.index(
      { folder, ...(paths && { paths }) },
      {
        signal,
        onProgress,
        onEvent,
        maxDeletePercent,
        ...(onEmbedded && { onEmbedded }),
      },
    );
  });
}

async function indexOnThread(
  options: KnowledgeBaseOptions,
  run: FolderRun,
  { signal, onOpened, onProgress, onEvent, onEmbedded }: FolderRunOptions,
): Promise<IndexSummary> {
  const { embedder, model, reranker, models, s3, ...plain } = options;
  const data: IndexingThreadData = { options: plain, run, command: process.argv };
  const thread = new Worker(new URL('./indexing-thread.js', import.meta.url), {
    name: 'aquifer-indexing',
    execArgv: [],
    workerData: data,
  });
  const abort = () => thread.postMessage('abort');
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<IndexSummary>((resolve, reject) => {
      thread.on('message', (message: IndexingThreadMessage) => {
        if (message.type === 'opened') onOpened();
        else if (message.type === 'progress') onProgress(message.progress);
        else if (message.type === 'document') onEvent(message.event);
        else if (message.type === 'embedded') onEmbedded?.(message.usage);
        else if (message.type === 'done') resolve(message.summary);
        else reject(fromPlainError(message.error));
      });
      const die = (reason: string, cause?: unknown) =>
        reject(
          new AquiferError(
            'internal',
            `The thread that indexes has ended: ${reason}. What was committed until then stays: index the folder again.`,
            { cause, retryable: true },
          ),
        );
      thread.on('error', (error) => die(error.message, error));
      thread.on('exit', (status) => die(`exit code ${status}`));
    });
  } finally {
    signal.removeEventListener('abort', abort);
    await keepingProcessAlive(() => thread.terminate());
  }
}
