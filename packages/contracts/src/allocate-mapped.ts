/** Memory for more bytes than these glibc never keeps when it is given back (DEFAULT_MMAP_THRESHOLD_MAX on 64 bits). */
export const mostKeptBytes = 2 ** 25;

/** Smaller pieces are worth keeping. */
const leastMapped = 2 ** 20;

/**
 * Zeroed memory for bytes that are many and soon let go of, such as those of a file: pages of their own, which the system has back as soon as the buffer is collected.
 *
 * What Node takes for buffers otherwise comes from glibc's `malloc`, which takes the largest piece of up to 32 MB that it was ever given back for the measure of what is
 * worth keeping, and keeps twice as much for each thread, for good (`M_MMAP_THRESHOLD` in mallopt(3)): after one file of 20 MB, up to 40 MB times the number of
 * threads. V8 maps a buffer that could be resized itself.
 *
 * @example
 * const bytes = allocateMapped(20_000_000);
 * await handle.read(bytes);
 */
export function allocateMapped(bytes: number): Buffer<ArrayBuffer> {
  return bytes < leastMapped ? Buffer.alloc(bytes) : Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }));
}
