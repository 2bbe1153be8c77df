import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import {
  AquiferError,
  collectGarbage,
  type ErrorCode,
  type ExtractedDocument,
  isAquiferError,
  type PlainError,
  type Reader,
  toPlainError,
} from '@aquifer/contracts';
import { chooseFormat } from './choose-format.js';
import type { Format } from './formats.js';
import { threadIdKey } from './memory-watch.js';
import { createTextRecogniser, type RecognisingOptions, type TextRecogniser } from './ocr/text-recogniser.js';
import { isWorthPacking, packDocument, packedBuffers } from './packed-document.js';
import type { ReadDocument, ReadJob, ReadProgress, ReadReply, ReadWorkerData } from './reading-pool.js';
import type { OwnedInput } from './text/decode-text.js';

// The thread in which files are read. It gets one job at a time, and answers each with one message.

// Libraries print warnings about files; what matters comes back as an error or an omission. (Redirected streams would not do:
// reading them keeps the process running.)
for (const stream of [process.stdout, process.stderr]) stream.write = () => true;

Object.defineProperty(globalThis, Symbol.for(threadIdKey), { value: threadId });

// What a library leaves behind when it gives up on a file must not end the thread under the next one.
process.on('unhandledRejection', () => {});

const allowed: readonly ErrorCode[] = [
  'unsupported-format',
  'password-required',
  'invalid-document',
  'too-large',
  'aborted',
];

const { ocrLanguages } = workerData as ReadWorkerData;
const recogniser = ocrLanguages && withProgress(createTextRecogniser(ocrLanguages));

/** What is left of reading a larger file is collected at once. */
const largeFileBytes = 4 * 2 ** 20;

/** What is left of reading a file for so long is collected when nothing such has been read for a while: what notes leave would not make V8 do it. */
const longReadMs = 200;
const quietMs = 2_000;
let collecting: NodeJS.Timeout | undefined;

/** Even importing what is imported already takes longer than reading a note. */
const readers = new Map<Format, Reader>();

parentPort?.on('message', async (job: ReadJob) => {
  const isLarge = job.bytes.byteLength > largeFileBytes;
  const startedAt = performance.now();
  const { reply, transfer } = await answerTo(ownedJob(job), isLarge);
  // The document, before it is made once more on the other side.
  if (isLarge) await collectFinished();
  parentPort?.postMessage(reply, transfer);
  if (performance.now() - startedAt < longReadMs) return;
  clearTimeout(collecting);
  collecting = setTimeout(collectGarbage, quietMs).unref();
});

/** Collects what was left behind, some of it until the turn is over. */
async function collectFinished(): Promise<void> {
  await nextTurn();
  collectGarbage();
}

type Outcome = { readonly document: ReadDocument } | { readonly error: PlainError };

interface Answer {
  readonly reply: ReadReply;
  /** Handed over with it; copying it would need the memory twice. */
  readonly transfer: ArrayBuffer[];
}

/** The same object, for the message that brought it stays where it is until the file is read. */
function ownedJob(job: ReadJob & { bytes: Uint8Array }): ReadJob & OwnedInput {
  const release = () => {
    job.bytes = new Uint8Array(0);
  };
  return Object.assign(job, { release });
}

async function answerTo(job: ReadJob & OwnedInput, isLarge: boolean): Promise<Answer> {
  const outcome = await outcomeOf(job);
  // What reading left, before the answer is made beside it.
  if (isLarge) await collectFinished();
  return answerWith(outcome);
}

async function outcomeOf(job: ReadJob & OwnedInput): Promise<Outcome> {
  try {
    const { passwords } = job;
    const format = chooseFormat(job);
    const reader = readers.get(format) ?? (await format.load());
    readers.set(format, reader);
    const options: RecognisingOptions = { ...(passwords && { passwords }), recogniser };
    const document = await reader.read(job, options);
    return { document: { ...document, mediaType: format.mediaTypes[0] as string } };
  } catch (error) {
    return { error: toPlainError(asReadingError(error, job.name)) };
  }
}

function answerWith(outcome: Outcome): Answer {
  if ('error' in outcome) return { reply: outcome, transfer: [] };
  const { document } = outcome;
  const attached = attachedBuffers(document);
  if (!isWorthPacking(document)) return { reply: { document }, transfer: attached };
  const packed = packDocument(document);
  return { reply: { packed }, transfer: [...attached, ...packedBuffers(packed)] };
}

function attachedBuffers({ attachments = [] }: ExtractedDocument): ArrayBuffer[] {
  const buffers = attachments.flatMap(({ bytes: { buffer, byteLength } }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [],
  );
  return [...new Set(buffers)];
}

function withProgress(inner: TextRecogniser): TextRecogniser {
  return {
    async recognise(picture, dotsPerInch) {
      parentPort?.postMessage({ isRecognising: true } satisfies ReadProgress);
      return await inner.recognise(picture, dotsPerInch);
    },
  };
}

function asReadingError(error: unknown, name: string): AquiferError {
  if (isAquiferError(error) && allowed.includes(error.code)) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new AquiferError('invalid-document', `${name} could not be read, probably because it is damaged: ${detail}`, {
    cause: error,
  });
}
