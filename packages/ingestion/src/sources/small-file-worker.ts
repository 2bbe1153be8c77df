import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** Files to read or to look at, as the disk spells their paths. */
export interface SmallFileRequest {
  readonly act: 'read' | 'look';
  readonly paths: readonly (string | Uint8Array)[];
}

export interface FileTimes {
  readonly size: number;
  readonly mtimeMs: number;
}

/** One state of a file: its attributes were the same before and after it was read. */
export interface SmallFileContent extends FileTimes {
  readonly bytes: Uint8Array;
}

/** `undefined` for what could not be done just like that; it is to be done in the careful way, which knows why. */
export type SmallFileReply = { readonly ms: number } & (
  | { readonly act: 'read'; readonly files: readonly (SmallFileContent | undefined)[] }
  | { readonly act: 'look'; readonly files: readonly (FileTimes | undefined)[] }
);

const maxSmallFileBytes = 64 * 1_024;
// Not blocking: a file may have become a pipe since it was listed.
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

parentPort?.on('message', ({ act, paths }: SmallFileRequest) => {
  const startedAt = performance.now();
  const transfer: ArrayBuffer[] = [];
  const files = paths.map((bytes) => {
    const path = typeof bytes === 'string' ? bytes : Buffer.from(bytes);
    if (act === 'look') return look(path);
    const content = read(path);
    if (content !== undefined) transfer.push(content.bytes.buffer as ArrayBuffer);
    return content;
  });
  parentPort?.postMessage({ act, files, ms: performance.now() - startedAt }, transfer);
});

function look(path: string | Buffer): FileTimes | undefined {
  try {
    const attributes = lstatSync(path, { throwIfNoEntry: false });
    return attributes?.isFile() ? { size: attributes.size, mtimeMs: attributes.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

function read(path: string | Buffer): SmallFileContent | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, flags);
    const before = fstatSync(descriptor);
    if (!before.isFile() || before.size > maxSmallFileBytes) return undefined;
    const bytes = new Uint8Array(before.size);
    let filled = 0;
    while (filled < bytes.length) {
      const bytesRead = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) return undefined;
      filled += bytesRead;
    }
    const { size, mtimeMs } = fstatSync(descriptor);
    return size === before.size && mtimeMs === before.mtimeMs ? { bytes, size, mtimeMs } : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
