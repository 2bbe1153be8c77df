/**
 * Stands for all readers together. Raised when one of them makes something else of the same file; every file is then read
 * again on its next run, and only what has really changed is embedded again.
 */
export const readerFingerprint = 'readers-3';

/** Stands for OCR in these languages, or for there being none: what decides what becomes of scans, and of nothing else. */
export function recognitionFingerprint(ocrLanguages: readonly string[] | undefined): string {
  return ocrLanguages === undefined ? 'no-ocr' : `tesseract-1 ${ocrLanguages.join('+')}`;
}
