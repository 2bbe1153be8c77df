import {
  AquiferError,
  type Embeddings,
  type EmbedOptions,
  type EmbedPurpose,
  throwIfAborted,
} from '@aquifer/contracts';
import type { EmbeddedTexts } from './model-worker.js';

/**
 * Texts that go to the worker in one message: a question waits for one group of documents at most, some 50 ms with a
 * model of 23 MB.
 */
const maxGroupCharacters = 2000;
const maxGroupTexts = 64;

interface Job {
  readonly texts: readonly string[];
  readonly purpose: EmbedPurpose;
  readonly vectors: Float32Array[];
  readonly tokens: number[];
  /** Texts handed to the worker so far. */
  sent: number;
  finish(error?: unknown): void;
}

export interface EmbedQueue {
  embed(texts: readonly string[], options: EmbedOptions): Promise<Embeddings>;
}

/**
 * Hands texts to `run` in small groups, one group at a time, questions before documents, and puts the vectors together.
 * A cancelled or failed job takes its remaining groups with it.
 */
export function createEmbedQueue(
  dimensions: number,
  run: (texts: readonly string[], purpose: EmbedPurpose) => Promise<EmbeddedTexts>,
): EmbedQueue {
  const lanes: Record<EmbedPurpose, Job[]> = { query: [], document: [] };
  let isRunning = false;

  const drop = (job: Job): void => {
    const lane = lanes[job.purpose];
    const index = lane.indexOf(job);
    if (index >= 0) lane.splice(index, 1);
  };

  const drain = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (;;) {
      const job = lanes.query[0] ?? lanes.document[0];
      if (job === undefined) break;
      const group = nextGroup(job.texts, job.sent);
      job.sent += group.length;
      if (job.sent >= job.texts.length) drop(job);
      try {
        const { vectors, tokens } = await run(group, job.purpose);
        for (const [index, count] of tokens.entries()) {
          job.vectors.push(vectors.slice(index * dimensions, (index + 1) * dimensions));
          job.tokens.push(count);
        }
        if (job.tokens.length === job.texts.length) job.finish();
      } catch (error) {
        drop(job);
        job.finish(error);
      }
    }
    isRunning = false;
  };

  return {
    async embed(texts, { purpose, signal }) {
      throwIfAborted(signal);
      if (texts.length === 0) return { vectors: [], tokens: [] };
      return new Promise((resolve, reject) => {
        const cancel = (): void => {
          drop(job);
          job.finish(new AquiferError('aborted', 'The operation was cancelled.', { cause: signal?.reason }));
        };
        const job: Job = {
          texts: [...texts],
          purpose,
          vectors: [],
          tokens: [],
          sent: 0,
          finish(error) {
            signal?.removeEventListener('abort', cancel);
            if (error === undefined) resolve({ vectors: job.vectors, tokens: job.tokens });
            else reject(error);
          },
        };
        signal?.addEventListener('abort', cancel, { once: true });
        lanes[purpose].push(job);
        void drain();
      });
    },
  };
}

function nextGroup(texts: readonly string[], from: number): readonly string[] {
  let characters = 0;
  let end = from;
  while (end < texts.length && end - from < maxGroupTexts) {
    characters += texts[end]!.length;
    if (end > from && characters > maxGroupCharacters) break;
    end += 1;
  }
  return texts.slice(from, end);
}
