import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own, in memory. */
export interface SmallDisk {
  readonly folder: string;
  /** Writes a file that leaves so many bytes free. */
  fillUpTo(freeBytes: number): void;
  /** Deletes that file. */
  makeRoom(): void;
  /** Makes the whole disk read-only, or writable again. */
  remount(how: 'ro' | 'rw'): void;
  unmount(): void;
}

/** Undefined where this user may not mount one: everywhere but as root on Linux. */
export function mountSmallDisk(megabytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'aquifer-disk-')));
  const quietly = { stdio: 'ignore' } as const;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], quietly);
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const filler = join(folder, 'filler');
  const makeRoom = (): void => rmSync(filler, { force: true });
  return {
    folder,
    makeRoom,
    fillUpTo(freeBytes) {
      makeRoom();
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
    },
    remount: (how) => void execFileSync('mount', ['-o', `remount,${how}`, folder], quietly),
    unmount() {
      execFileSync('umount', ['--lazy', folder], quietly);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
