import { AquiferError, isAquiferError, type Reader, throwIfAborted } from '@aquifer/contracts';
import { describeContent } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { joinWords, needsSpace, type RecognisedLine } from './hocr.js';
import { isTiff, pictureSize, tiffDirectories, tiffFrom } from './picture-size.js';
import type { RecognisingOptions } from './text-recogniser.js';

/** A decoded picture takes four bytes a pixel, and Tesseract copies of it. A0 at 200 dots an inch has 60 million. */
const maxPixels = 64_000_000;

/** Reads pictures of one kind with OCR: the paragraphs that Tesseract finds. The pages of a TIFF are pages. */
export function createPictureReader(
  kind: Pick<Reader, 'id' | 'mediaTypes' | 'extensions'> & Required<Pick<Reader, 'recognises'>>,
): Reader {
  return {
    id: kind.id,
    mediaTypes: kind.mediaTypes,
    extensions: kind.extensions,
    recognises: kind.recognises,
    async read({ bytes, name }, { signal, recogniser }: RecognisingOptions = {}) {
      throwIfAborted(signal);
      if (bytes.length === 0) return { text: '', blocks: [], pages: [], metadata: {}, omissions: [] };
      if (!kind.recognises(bytes)) {
        throw new AquiferError(
          'unsupported-format',
          `${name} is ${describeContent(bytes)}, not such a picture as its name says.`,
        );
      }
      if (!recogniser) {
        throw new AquiferError(
          'unsupported-format',
          `${name} looks like ${describeContent(bytes)}: its text can be read with --ocr.`,
        );
      }
      const size = pictureSize(bytes);
      if (!size?.width || !size.height) throw damaged(name);
      if (size.width * size.height > maxPixels) {
        throw new AquiferError(
          'too-large',
          `${name} has ${size.width} × ${size.height} pixels, more than the ${maxPixels / 1e6} million that OCR takes: make it smaller.`,
        );
      }
      const pages = isTiff(bytes) ? tiffPages(bytes) : [bytes];
      const builder = createTextBuilder();
      for (const [index, page] of pages.entries()) {
        throwIfAborted(signal);
        if (pages.length > 1) builder.beginPage(index + 1);
        const lines = await recogniser.recognise(page).catch((error: unknown) => {
          throw isAquiferError(error, 'invalid-document') ? damaged(name, error) : error;
        });
        for (const text of paragraphsOf(lines)) builder.append('paragraph', text);
      }
      return { ...builder.finish(), metadata: {}, omissions: [], dependsOnRecognition: true };
    },
  };
}

function tiffPages(bytes: Uint8Array): Uint8Array[] {
  const directories = tiffDirectories(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return directories.length < 2 ? [bytes] : directories.map((directory) => tiffFrom(bytes, directory));
}

function paragraphsOf(lines: readonly RecognisedLine[]): string[] {
  const paragraphs: string[] = [];
  let open: number | undefined;
  for (const line of lines) {
    const text = joinWords(line.words);
    if (line.paragraph === open) {
      const before = paragraphs.at(-1)!;
      paragraphs[paragraphs.length - 1] = `${before}${needsSpace(before, text) ? ' ' : ''}${text}`;
    } else {
      paragraphs.push(text);
    }
    open = line.paragraph;
  }
  return paragraphs;
}

function damaged(name: string, cause?: unknown): AquiferError {
  return new AquiferError(
    'invalid-document',
    `${name} is damaged and cannot be opened as a picture: open it in an image viewer and save it again.`,
    cause === undefined ? {} : { cause },
  );
}
