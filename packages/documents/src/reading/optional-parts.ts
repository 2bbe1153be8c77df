import { findTesseract } from './ocr/installed-tesseract.js';

/** What reading can do here beyond text: parts that are installed or not. */
export interface OptionalParts {
  /** Why there is no text recognition in these languages; undefined where there is. */
  readonly recognitionProblem?: string;
  /** Whether pages of PDF can be drawn, for those whose pictures cannot be taken out one by one. */
  readonly canvas: boolean;
}

/** @param languages Names of Tesseract, such as `eng`. */
export async function findOptionalParts(languages: readonly string[]): Promise<OptionalParts> {
  const canvasName = '@napi-rs/canvas';
  const canvas = await import(canvasName).then(
    () => true,
    () => false,
  );
  try {
    findTesseract(languages);
    return { canvas };
  } catch (error) {
    return { canvas, recognitionProblem: (error as Error).message };
  }
}
