import { getPriority, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type PlainError, toPlainError } from '@aquifer/contracts';
import {
  type IndexSummary,
  type IndexUsage,
  type IngestionEvent,
  type IngestionProgress,
  openKnowledgeBase,
} from 'aquifer';
import type { FolderRun, PlainOptions } from './index-folder.js';

/** What the thread is given when it starts. */
export interface IndexingThreadData {
  readonly options: PlainOptions;
  readonly run: FolderRun;
  /** Of the process: the writer's lock says who holds it. */
  readonly command: readonly string[];
}

/** What it says; after `done` or `failed` it ends. */
export type IndexingThreadMessage =
  | { readonly type: 'opened' }
  | { readonly type: 'progress'; readonly progress: IngestionProgress }
  | { readonly type: 'document'; readonly event: IngestionEvent }
  | { readonly type: 'embedded'; readonly usage: IndexUsage }
  | { readonly type: 'done'; readonly summary: IndexSummary }
  | { readonly type: 'failed'; readonly error: PlainError };

/** How much less of a busy processor indexing gets than answers: a third of what one of their threads gets. */
const niceness = 5;

const port = parentPort as MessagePort;
const say = (message: IndexingThreadMessage): void => port.postMessage(message);

// Linux counts the priority of each thread by itself, and threads that it starts inherit it (setpriority(2)). Elsewhere it is the process's.
if (process.platform === 'linux') setPriority(Math.min(19, getPriority() + niceness));

async function index({ options, run, command }: IndexingThreadData): Promise<IndexSummary> {
  process.argv.splice(0, process.argv.length, ...command);
  const stop = new AbortController();
  // All that is ever sent to it.
  port.once('message', () => stop.abort());
  const knowledgeBase = await openKnowledgeBase({ ...options, mode: 'write' });
  try {
    say({ type: 'opened' });
    return await knowledgeBase.index(
      { folder: run.folder, ...(run.paths && { paths: run.paths }) },
      {
        signal: stop.signal,
        maxDeletePercent: run.maxDeletePercent,
        onProgress: (progress) => say({ type: 'progress', progress }),
        onEvent: (event) => say({ type: 'document', event }),
        onEmbedded: (usage) => say({ type: 'embedded', usage }),
      },
    );
  } finally {
    await knowledgeBase.close();
  }
}

try {
  say({ type: 'done', summary: await index(workerData as IndexingThreadData) });
} catch (error) {
  say({ type: 'failed', error: toPlainError(error) });
}
port.close();
