import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { AquiferError, isAquiferError, throwIfAborted } from '@aquifer/contracts';
import { type ExportEnd, type ExportHeader, parseEnd, parseHeader } from './export-format.js';

/** Vectors are noise, on which gzip works hard for nothing; texts shrink to a third at any level. */
const level = 1;
const lineFeed = 0x0a;
/** No string of Node's is longer. */
const maxLineBytes = 2 ** 29;
const pieceBytes = 256 * 1_024;

/** Everything of an end but the checksum, known when all lines are written. */
export type Counts = Omit<ExportEnd, 'type' | 'sha256'>;

/**
 * Writes an export: into a file beside it, which takes its place when it is complete, flushed and closed. Whatever happens before, a file that was
 * there stays. Only its owner may read it.
 *
 * @throws `disk-full`, `invalid-options` for a place that cannot be written, `aborted`
 */
export async function writeExportFile(
  file: string,
  lines: AsyncIterable<string>,
  counts: () => Counts,
  signal: AbortSignal | undefined,
): Promise<ExportEnd & { readonly bytes: number }> {
  const part = `${file}.part`;
  let end: ExportEnd | undefined;
  async function* withEnd(): AsyncGenerator<string> {
    const hash = createHash('sha256');
    for await (const line of lines) {
      throwIfAborted(signal);
      const whole = `${line}\n`;
      hash.update(whole);
      yield whole;
    }
    end = { type: 'end', ...counts(), sha256: hash.digest('hex') };
    yield `${JSON.stringify(end)}\n`;
  }
  try {
    const out = createWriteStream(part, { mode: 0o600, flush: true });
    await pipeline(Readable.from(withEnd()), createGzip({ level }), out);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw writingError(error, file);
  }
  return { ...(end as unknown as ExportEnd), bytes: (await stat(file)).size };
}

function writingError(error: unknown, file: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isAquiferError(error) || typeof code !== 'string') return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AquiferError('disk-full', `There is no room for ${file}: make some and run the command again.`, {
      cause: error,
    });
  }
  return new AquiferError('invalid-options', `${file} cannot be written: ${message}`, { cause: error });
}

/** An export that is read, twice: first all of it is checked. */
export interface ExportFile {
  readonly header: ExportHeader;
  readonly end: ExportEnd;
  /** Hands on the lines between header and end, one after the other. @throws as `openExportFile` */
  forEachLine(use: (line: Buffer, refuse: (why: string) => never) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an export and reads it through, so that a file that is truncated or altered is refused before anything is done with it.
 *
 * @throws `source-not-found`, `source-unreadable`, `invalid-export`, `index-too-new`, `aborted`
 */
export async function openExportFile(file: string, signal: AbortSignal | undefined): Promise<ExportFile> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    const isMissing = error.code === 'ENOENT';
    const message = isMissing ? `There is no file ${file}.` : `${file} cannot be read: ${error.message}`;
    throw new AquiferError(isMissing ? 'source-not-found' : 'source-unreadable', message, { cause: error });
  });
  const refuse = (why: string): never => {
    throw new AquiferError('invalid-export', `${file} cannot be imported: ${why}. Nothing was changed.`);
  };
  try {
    let header: ExportHeader | undefined;
    const end = await readThrough(handle, refuse, signal, (line) => {
      header ??= parseHeader(line, file, refuse);
    });
    return {
      header: header ?? refuse('it is empty'),
      end,
      async forEachLine(use) {
        let isHeader = true;
        await readThrough(handle, refuse, signal, async (line) => {
          if (!isHeader) await use(line, refuse);
          isHeader = false;
        });
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Hands on each line but the last, and checks what the last one says of them. */
async function readThrough(
  handle: FileHandle,
  refuse: (why: string) => never,
  signal: AbortSignal | undefined,
  use: (line: Buffer) => void | Promise<void>,
): Promise<ExportEnd> {
  const hash = createHash('sha256');
  let last: Buffer | undefined;
  for await (const line of linesOf(handle, refuse)) {
    throwIfAborted(signal);
    if (last !== undefined) {
      hash.update(last).update('\n');
      await use(last);
    }
    last = line;
  }
  if (last === undefined) return refuse('it is empty');
  const end = parseEnd(last, refuse);
  if (end.sha256 !== hash.digest('hex')) refuse('its checksum is not that of its content: it was altered');
  return end;
}

/** From the beginning. A stream of the handle's own would close it. */
async function* bytesOf(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* linesOf(handle: FileHandle, refuse: (why: string) => never): AsyncGenerator<Buffer> {
  const read = Readable.from(bytesOf(handle));
  const gunzip = createGunzip();
  read.on('error', (error) => gunzip.destroy(error));
  read.pipe(gunzip);
  let begun: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(lineFeed); to >= 0; to = chunk.indexOf(lineFeed, from)) {
        yield begun.length === 0 ? chunk.subarray(from, to) : Buffer.concat([...begun, chunk.subarray(from, to)]);
        begun = [];
        bytes = 0;
        from = to + 1;
      }
      if (from === chunk.length) continue;
      begun.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > maxLineBytes) refuse('one of its lines is too long');
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') refuse('it breaks off in the middle');
    if (typeof code === 'string' && code.startsWith('Z_')) refuse('it is no export of Aquifer, or was altered');
    throw error;
  } finally {
    gunzip.destroy();
    read.destroy();
  }
  if (bytes > 0) refuse('it breaks off in the middle of a line');
}
