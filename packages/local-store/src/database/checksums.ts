import { crc32 } from 'node:zlib';
import { AquiferError } from '@aquifer/contracts';
import type { SqlValue } from './sqlite-driver.js';

/**
 * SQLite notices a damaged page by its structure, and nothing else: most of an index is long texts and vectors, whose pages
 * are bytes without structure. So they carry a CRC-32, which is compared whenever they are read.
 */
export const checksumOf = (...parts: readonly (string | Uint8Array)[]): number => extendChecksum(0, ...parts);

/** The checksum of what `checksum` is of and of what follows it. */
export const extendChecksum = (checksum: number, ...parts: readonly (string | Uint8Array)[]): number => {
  let extended = checksum;
  for (const part of parts) extended = crc32(part, extended);
  return extended;
};

/** Whether the parts are as they were written. Rows without a checksum are older than checksums. */
export const isIntact = (checksum: SqlValue | undefined, ...parts: readonly (string | Uint8Array)[]): boolean =>
  checksum === null || checksum === undefined || checksum === checksumOf(...parts);

/**
 * @param what Such as `the text of document "a"`.
 * @throws `index-corrupt`
 */
export function assertIntact(
  what: string,
  checksum: SqlValue | undefined,
  ...parts: readonly (string | Uint8Array)[]
): void {
  if (isIntact(checksum, ...parts)) return;
  throw new AquiferError(
    'index-corrupt',
    `The disk has changed ${what} in the index. To keep what is whole and read the rest again, run: npx aquifer index <path> --re-embed`,
  );
}
