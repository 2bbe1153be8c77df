import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** Files to read, as the disk spells their paths. */
export type SmallFileRequest = readonly (string | Uint8Array)[];

/** One state of a file: its attributes were the same before and after it was read. */
export interface SmallFileContent {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly mtimeMs: number;
}

/** `undefined` for a file that could not be read just like that; it is to be read in the careful way, which knows why. */
export interface SmallFileReply {
  readonly files: readonly (SmallFileContent | undefined)[];
  readonly ms: number;
}

const maxSmallFileBytes = 64 * 1_024;
// Not blocking: a file may have become a pipe since it was listed.
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

parentPort?.on('message', (paths: SmallFileRequest) => {
  const startedAt = performance.now();
  const files = paths.map(readSmallFile);
  const reply: SmallFileReply = { files, ms: performance.now() - startedAt };
  parentPort?.postMessage(
    reply,
    files.flatMap((file) => (file === undefined ? [] : [file.bytes.buffer as ArrayBuffer])),
  );
});

function readSmallFile(path: string | Uint8Array): SmallFileContent | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(typeof path === 'string' ? path : Buffer.from(path), flags);
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
