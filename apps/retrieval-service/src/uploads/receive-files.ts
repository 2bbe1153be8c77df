import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AquiferError, isAquiferError, type Metadata, parseMetadata } from '@aquifer/contracts';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { Problem } from '../native/problem.js';
import type { UploadFolder } from './upload-folder.js';

export interface ReceivedFiles {
  /** Paths of the files that are in the folder now. */
  readonly paths: readonly string[];
  readonly kept: readonly string[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** Of names, contents and metadata of all files, whether they were kept or refused: the same for the same files, whatever the form around them. Empty where none is asked for. */
  readonly digest: string;
}

export interface ReceiveOptions {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  readonly folder: Pick<UploadFolder, 'keep'>;
  /** Most bytes of one file. */
  readonly fileBytes: number;
  readonly files: number;
  /** Makes the digest, which takes half as long as the disk. Default: no. */
  readonly digests?: boolean;
}

const mostFieldBytes = 1024 * 1024;

/**
 * Small files come sixty at a time with a piece of the body. Begun all at once they would also be done in the same turns of the event loop,
 * and whoever asks something meanwhile would wait for tens of milliseconds.
 */
const filesAtOnce = 4;

/**
 * Files of a `multipart/form-data` body, each straight to the disk. A field `metadata` (JSON) holds for the files after it. A file that cannot be
 * taken is named with the reason, and the others are taken.
 *
 * @throws `Problem` for a body that is no form, or breaks off: files that had come until then stay.
 */
export async function receiveFiles(options: ReceiveOptions): Promise<ReceivedFiles> {
  const { headers, body, folder, fileBytes, files: mostFiles, digests: makesDigests = false } = options;
  const contentType = headers['content-type'];
  if (typeof contentType !== 'string') throw new Problem('invalid-request', 'The header Content-Type is missing.');
  /** By the number of the file in the form; they may be done in another order. */
  const taken: { readonly name: string; readonly path: string }[] = [];
  let count = 0;
  const refused: { name: string; reason: string }[] = [];
  const digests: string[] = [];
  let metadata: Metadata | undefined;
  /** Each file waits for the one that many before it. What waits is in memory, or holds up the body. */
  const lines: Promise<void>[] = Array.from({ length: filesAtOnce }, () => Promise.resolve());
  let isBroken = false;

  /** Being written now. */
  const open = new Set<BusboyFileStream>();

  const keep = async (number: number, { name, content, about }: SentFile): Promise<void> => {
    if (isBroken) return;
    open.add(content);
    const hash = makesDigests ? createHash('sha256').update(JSON.stringify([name, about])) : undefined;
    try {
      try {
        const file = { name, content: piecesOf(content, hash), limit: fileBytes, ...(about && { metadata: about }) };
        taken[number] = { name, path: await folder.keep(file) };
      } catch (error) {
        if (!isAquiferError(error)) throw error;
        refused.push({ name, reason: error.message });
      }
      // The rest of a file that nobody reads would hold up those after it.
      if (!content.readableEnded) for await (const _ of piecesOf(content, hash));
      if (hash) digests[number] = hash.digest('hex');
    } finally {
      open.delete(content);
    }
  };

  await new Promise<void>((resolve, reject) => {
    const malformed = (error: Error) => {
      isBroken = true;
      body.unpipe();
      body.resume();
      for (const content of open) content.destroy(new Problem('invalid-request', 'The request broke off.'));
      reject(
        error instanceof Problem || isAquiferError(error)
          ? error
          : new Problem('invalid-request', `The form cannot be read: ${error.message}.`),
      );
    };
    let form: InstanceType<typeof Busboy>;
    try {
      form = new Busboy({
        headers: { ...headers, 'content-type': contentType },
        preservePath: true,
        limits: { fieldSize: mostFieldBytes, files: mostFiles, fields: 1_000, headerPairs: 100 },
      });
    } catch (error) {
      malformed(error as Error);
      return;
    }
    form.on('field', (name: string, value: string, _: boolean, isCut: boolean) => {
      if (name !== 'metadata') return;
      try {
        metadata = metadataOf(value, isCut);
      } catch (error) {
        malformed(error as Error);
      }
    });
    form.on('file', (_: string, content: BusboyFileStream, name: string | undefined) => {
      if (name === undefined || name === '') {
        content.resume();
        refused.push({ name: '', reason: 'A file without a name.' });
        return;
      }
      // Told to whoever reads it; one that still waits has no reader.
      content.on('error', () => {});
      const number = count;
      count += 1;
      const file = { name, content, about: metadata };
      const line = number % filesAtOnce;
      const done = (lines[line] as Promise<void>).then(() => keep(number, file));
      done.catch(malformed);
      lines[line] = done;
    });
    form.on('filesLimit', () => refused.push({ name: '…', reason: `More than ${mostFiles} files in one request.` }));
    form.on('error', (error: unknown) => malformed(error as Error));
    form.on('finish', () => Promise.all(lines).then(() => resolve(), malformed));
    body.on('error', malformed);
    body.on('close', () => {
      if (!body.readableEnded) malformed(new Problem('invalid-request', 'The request broke off.'));
    });
    body.pipe(form);
  });
  const all = Object.values(taken);
  return {
    paths: all.map(({ path }) => path),
    kept: all.map(({ name }) => name),
    refused,
    digest: makesDigests ? createHash('sha256').update(digests.join()).digest('hex') : '',
  };
}

interface SentFile {
  readonly name: string;
  readonly content: BusboyFileStream;
  readonly about: Metadata | undefined;
}

/** What is left of a file. It is not destroyed by who leaves half-way: the parts of a form behind it are in the same body. */
async function* piecesOf(content: Readable, hash: Hash | undefined): AsyncGenerator<Buffer> {
  for await (const piece of content.iterator({ destroyOnReturn: false })) {
    hash?.update(piece);
    yield piece;
  }
}

function metadataOf(text: string, isCut: boolean): Metadata {
  if (isCut) throw new AquiferError('too-large', `The field metadata has more than ${mostFieldBytes} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('invalid-request', 'The field metadata must be JSON, such as {"country": "JP"}.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('invalid-request', 'The field metadata must be an object, such as {"country": "JP"}.');
  }
  return parseMetadata(value as Record<string, unknown>, 'metadata');
}
