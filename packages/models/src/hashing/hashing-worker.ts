import { parentPort, workerData } from 'node:worker_threads';
import { createHashedWords } from './hashed-words.js';

export interface HashingWorkerData {
  readonly dimensions: number;
}

/** Texts of documents; each message is answered with one, in order. */
export type HashingRequest = readonly string[];

/** Vectors one after the other in one array, so that they are handed over without being copied, and the terms of each text. */
export interface HashingReply {
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly tokens: number[];
}

const { dimensions } = workerData as HashingWorkerData;
const hashedWords = createHashedWords(dimensions);

parentPort?.on('message', (texts: HashingRequest) => {
  const vectors = new Float32Array(texts.length * dimensions);
  const tokens = texts.map((text, index) => {
    const embedded = hashedWords(text, 'document');
    vectors.set(embedded.vector, index * dimensions);
    return embedded.tokens;
  });
  parentPort?.postMessage({ vectors, tokens } satisfies HashingReply, [vectors.buffer]);
});
