import { availableParallelism } from 'node:os';
import { AquiferError, type DocumentReader, throwIfAborted } from '@aquifer/contracts';
import { formatOfName } from './choose-format.js';
import { findTesseract } from './ocr/installed-tesseract.js';
import { createReadingPool } from './reading-pool.js';

export interface DocumentReaderOptions {
  /** Files read at once, each in a thread of its own. Default: as many as there are processors, at most 4. */
  readonly threads?: number;
  /**
   * Longest time for one file, not counting the wait for a thread. With OCR, each picture that is recognised has
   * five times this time. Default 60,000.
   */
  readonly timeoutMs?: number;
  /** Memory of each thread, in MB: JavaScript heap, buffers, WebAssembly. Default 512. */
  readonly maxMemoryMb?: number;
  /** Larger files are refused. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * Reads pictures and scanned pages of PDFs with OCR in these languages (Tesseract's names: `eng`, `jpn`). Needs the packages
   * `tesseract.js` and `@tesseract.js-data/<language>`, and no network. Default: pictures are left alone.
   */
  readonly ocrLanguages?: readonly string[] | undefined;
}

/**
 * All readers behind one door. Files are read in worker threads, so that the caller's event loop stays free and no
 * file can take the process down. Nothing starts before the first read.
 *
 * The bytes of larger files are handed over to the thread, not copied: do not use them after `read`.
 *
 * `read` rejects with `unsupported-format`, `password-required`, `invalid-document`, `too-large` (bytes, time or memory)
 * or `aborted`. An empty file is an empty text.
 *
 * @throws `invalid-options` for a limit that is not a positive number, `missing-dependency` where OCR is asked for and not installed.
 *
 * ```ts
 * const reader = createDocumentReader();
 * const { text, pages } = await reader.read({ bytes: await readFile('lease.pdf'), name: 'lease.pdf' });
 * await reader.close();
 * ```
 */
export function createDocumentReader(options: DocumentReaderOptions = {}): DocumentReader {
  const {
    threads = Math.min(4, availableParallelism()),
    timeoutMs = 60_000,
    maxMemoryMb = 512,
    maxBytes = 2 ** 30,
  } = options;
  for (const [name, value] of Object.entries({ threads, timeoutMs, maxMemoryMb, maxBytes })) {
    if (!(value >= 1 && Number.isFinite(value))) {
      throw new AquiferError('invalid-options', `${name} must be a number from 1, not ${value}.`);
    }
  }
  const { ocrLanguages } = options;
  if (ocrLanguages) findTesseract(ocrLanguages);
  const pool = createReadingPool({ threads: Math.floor(threads), timeoutMs, maxMemoryMb, ocrLanguages });
  return {
    mediaType(name) {
      const format = formatOfName(name);
      return format?.needsRecogniser && !ocrLanguages ? undefined : format?.mediaTypes[0];
    },
    async read({ bytes, name, mediaType }, { signal, passwords } = {}) {
      throwIfAborted(signal);
      if (bytes.length > maxBytes) {
        throw new AquiferError(
          'too-large',
          `${name} has ${bytes.length} bytes, more than the limit of ${maxBytes}: split it, or allow more with --max-file-mb.`,
        );
      }
      if (bytes.length === 0) {
        const type = formatOfName(name)?.mediaTypes[0] ?? mediaType ?? 'application/octet-stream';
        return { text: '', blocks: [], pages: [], metadata: {}, omissions: [], mediaType: type };
      }
      const job = { bytes, name, ...(mediaType !== undefined && { mediaType }), ...(passwords && { passwords }) };
      return await pool.run(job, signal);
    },
    rest: () => pool.rest(),
    close: () => pool.close(),
  };
}
