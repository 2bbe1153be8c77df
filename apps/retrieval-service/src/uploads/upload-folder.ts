import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AquiferError, type Metadata } from '@aquifer/contracts';

/** A file of somebody else's name, on its way into the folder. */
export interface IncomingFile {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array> | string;
  /** Most bytes. */
  readonly limit: number;
  readonly metadata?: Metadata;
}

/**
 * Originals that were sent to the service: a folder like any other, which is indexed like any other. Nothing is in it under its name before
 * it is there as a whole.
 */
export interface UploadFolder {
  readonly path: string;
  /**
   * Keeps a file; one that has the name already is replaced.
   *
   * @returns its path.
   * @throws `invalid-document` for a name that cannot be one, `too-large`
   */
  keep(file: IncomingFile): Promise<string>;
  /** Whether anything has been kept. */
  exists(): Promise<boolean>;
  /** Whether the address is that of a file in here. */
  holds(uri: string): boolean;
  /** Removes a file and what is said about it. */
  remove(uri: string): Promise<void>;
  removeAll(): Promise<void>;
}

/** Hidden, so that it is never indexed. */
const incoming = '.incoming';
const mostNameBytes = 255;
const mostPathBytes = 1_024;

/**
 * A name that a caller gave as a path inside of the folder.
 *
 * @throws `invalid-document` when it would lie elsewhere, be hidden, or be no name on some system.
 *
 * @example
 * uploadName('people/leave.pdf'); // 'people/leave.pdf'
 */
export function uploadName(name: string): string {
  const refuse = (why: string): never => {
    throw new AquiferError(
      'invalid-document',
      `The file name ${JSON.stringify(name.slice(0, 120))} ${why}: send it under another one.`,
    );
  };
  const parts = name.normalize('NFC').replaceAll('\\', '/').split('/');
  for (const part of parts) {
    if (part === '') refuse('has an empty part');
    if (part.startsWith('.')) refuse('has a part that begins with a dot');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be in a name
    if (/[\u0000-\u001f\u007f<>:"|?*]/.test(part)) refuse('has a character that files cannot have on every system');
    if (/[. ]$/.test(part)) refuse('has a part that ends with a dot or a space');
    if (Buffer.byteLength(part) > mostNameBytes) refuse(`has a part of more than ${mostNameBytes} bytes`);
  }
  const path = parts.join('/');
  if (Buffer.byteLength(path) > mostPathBytes) refuse(`is longer than ${mostPathBytes} bytes`);
  if (path.toLowerCase().endsWith('.metadata.json')) refuse('is that of a file about another file');
  return path;
}

export function createUploadFolder(folder: string): UploadFolder {
  const path = resolve(folder);

  const inside = (uri: string): string | undefined => {
    if (!uri.startsWith('file:')) return undefined;
    const file = fileURLToPath(uri);
    return file.startsWith(path + sep) ? file : undefined;
  };

  async function receive({ name, content, limit }: IncomingFile): Promise<string> {
    await mkdir(join(path, incoming), { recursive: true, mode: 0o700 });
    const temporary = join(path, incoming, randomUUID());
    const chunks = typeof content === 'string' ? [Buffer.from(content)] : content;
    let bytes = 0;
    try {
      // A stream to the disk takes longer than all that a small file needs.
      const target = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > limit) {
            throw new AquiferError('too-large', `${name} has more than ${limit} bytes, the most that is taken.`);
          }
          await target.writeFile(chunk);
        }
      } finally {
        await target.close();
      }
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return temporary;
  }

  return {
    path,
    async keep(file) {
      const name = uploadName(file.name);
      const temporary = await receive(file);
      const target = join(path, ...name.split('/'));
      const about = `${target}.metadata.json`;
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        // What is said about a file must not be missing when the file is found.
        if (file.metadata === undefined) await rm(about, { force: true });
        else {
          const aboutTemporary = `${temporary}.metadata`;
          await writeFile(aboutTemporary, JSON.stringify({ metadataAttributes: file.metadata }), { mode: 0o600 });
          await rename(aboutTemporary, about);
        }
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'EISDIR' && code !== 'ENOTDIR' && code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
        throw new AquiferError('invalid-document', `${name} cannot be kept beside what is there already: ${message}.`, {
          cause: error,
        });
      }
      return target;
    },
    exists: () =>
      stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ),
    holds: (uri) => inside(uri) !== undefined,
    async remove(uri) {
      const file = inside(uri);
      if (file === undefined) return;
      await rm(file, { force: true });
      await rm(`${file}.metadata.json`, { force: true });
      // Folders that this leaves empty; one that is not says so.
      for (let parent = dirname(file); relative(path, parent) !== ''; parent = dirname(parent)) {
        if ((await readdir(parent)).length > 0) break;
        await rm(parent, { recursive: true });
      }
    },
    removeAll: () => rm(path, { recursive: true, force: true }),
  };
}

/**
 * The original of a document, if it is still what was indexed.
 *
 * @throws `source-not-found` when it is gone or not a file of this machine, `source-changed` when it is another one by now.
 */
export async function openOriginal(document: {
  readonly uri: string;
  readonly source: string;
  readonly contentHash: string;
}): Promise<{ readonly bytes: number; stream(): AsyncIterable<Buffer> }> {
  const { uri, source, contentHash } = document;
  const gone = (cause?: unknown) =>
    new AquiferError('source-not-found', `The original of ${source} is not on this machine any more.`, { cause });
  if (!uri.startsWith('file:')) throw gone();
  const path = fileURLToPath(uri);
  const hash = createHash('sha256');
  try {
    const { size } = await stat(path);
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    // A link could lead to any file by now; only the bytes that were indexed are anybody's to see.
    if (hash.digest('hex') !== contentHash) {
      throw new AquiferError('source-changed', `${source} was changed after it was indexed: index it again.`);
    }
    return { bytes: size, stream: () => bytesOf(path, source, size) };
  } catch (error) {
    if (error instanceof AquiferError) throw error;
    throw gone(error);
  }
}

/** Opens the file when the first bytes are asked for, so that who only asks about it leaves nothing open; leaving the loop closes it. */
async function* bytesOf(path: string, source: string, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of createReadStream(path)) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  // How many bytes there are was said: a reader would wait for the rest, or take what is too much for the next answer.
  if (left !== 0) throw new AquiferError('source-changed', `${source} was changed while it was read: index it again.`);
}
