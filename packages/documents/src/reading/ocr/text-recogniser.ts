import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AquiferError, isAquiferError, type ReadOptions } from '@aquifer/contracts';
import { parseHocr, type RecognisedLine } from './hocr.js';
import { findTesseract, readTrainedData } from './installed-tesseract.js';

/** Reads the text in pictures. */
export interface TextRecogniser {
  /**
   * The lines of text in a picture, in the order in which Tesseract reads them. Positions are pixels from the top left corner.
   *
   * @param picture A whole file: PNM, PNG, JPEG, TIFF, BMP or WebP.
   * @param dotsPerInch Where known: helps to tell letters from specks.
   * @throws what has the code `invalid-document`, for a picture that cannot be read.
   */
  recognise(picture: Uint8Array, dotsPerInch?: number): Promise<RecognisedLine[]>;
}

/** Options of readers that can read pictures. */
export interface RecognisingOptions extends ReadOptions {
  /** Absent: pictures are left alone. */
  readonly recogniser?: TextRecogniser | undefined;
}

/** The part of `tesseract.js-core` that is used. */
interface TesseractModule {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; unlink(path: string): void };
  readonly TessBaseAPI: new () => TesseractApi;
}

interface TesseractApi {
  Init(folder: null, languages: string, engineMode: number): number;
  SetVariable(name: string, value: string): boolean;
  SetImageFile(exifOrientation: number, angle: number): number;
  Recognize(monitor: null): number;
  GetHOCRText(page: number): string;
  Clear(): void;
}

/** The recogniser with neural networks, the only one that the integer models have. */
const lstmOnly = 1;
/** Tesseract looks for columns, paragraphs and pictures by itself. */
const automaticSegmentation = '3';

/**
 * Tesseract, as `tesseract.js-core` compiles it to WebAssembly, in this thread. `tesseract.js` itself would start another thread, out of
 * reach of the limits on time and memory, and look for models on the network. Loaded at the first picture.
 *
 * @throws `missing-dependency`, `invalid-options` as {@link findTesseract} does.
 */
export function createTextRecogniser(languages: readonly string[]): TextRecogniser {
  const { coreFolder, dataFiles } = findTesseract(languages);
  let loading: Promise<{ readonly module: TesseractModule; readonly api: TesseractApi }> | undefined;

  async function load() {
    // Relaxed SIMD would be a little faster, and might find another text on another processor.
    const create = createRequire(join(coreFolder, 'package.json'))('./tesseract-core-simd-lstm.js') as (
      options: object,
    ) => Promise<TesseractModule>;
    const module = await create({ TesseractProgress() {}, print() {}, printErr() {} });
    for (const [language, file] of dataFiles) module.FS.writeFile(`${language}.traineddata`, readTrainedData(file));
    const api = new module.TessBaseAPI();
    if (api.Init(null, languages.join('+'), lstmOnly) !== 0) {
      throw new AquiferError(
        'missing-dependency',
        `The OCR data of ${languages.join(', ')} cannot be loaded: install them again.`,
      );
    }
    api.SetVariable('tessedit_pageseg_mode', automaticSegmentation);
    return { module, api };
  }

  return {
    async recognise(picture, dotsPerInch) {
      loading ??= load();
      const { module, api } = await loading.catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
      api.SetVariable('user_defined_dpi', String(Math.round(Math.min(2400, Math.max(70, dotsPerInch ?? 300)))));
      module.FS.writeFile('/input', picture);
      try {
        if (api.SetImageFile(exifOrientation(picture), 0) !== 0) {
          throw new AquiferError('invalid-document', 'The picture is damaged, or of a kind that OCR cannot open.');
        }
        api.Recognize(null);
        const lines = parseHocr(api.GetHOCRText(0));
        api.Clear();
        module.FS.unlink('/input');
        return lines;
      } catch (error) {
        // What a damaged picture leaves behind in the memory of Tesseract must not meet the next one.
        loading = undefined;
        throw isAquiferError(error)
          ? error
          : new AquiferError('invalid-document', `OCR gave up on the picture: ${String(error)}`, { cause: error });
      }
    },
  };
}

/** How a camera says that it was held (EXIF 2.3, 4.6.4, tag 274): 1 to 8, 1 where it says nothing. */
function exifOrientation(picture: Uint8Array): number {
  const head = Buffer.from(picture.buffer, picture.byteOffset, Math.min(picture.byteLength, 4096));
  const start = head.indexOf('Exif\0\0');
  if (start < 0) return 1;
  const tiff = head.subarray(start + 6);
  if (tiff.length < 10) return 1;
  const little = tiff[0] === 0x49;
  const short = (offset: number) =>
    offset + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(offset) : tiff.readUInt16BE(offset);
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  for (let entry = 0; entry < short(directory); entry++) {
    const offset = directory + 2 + entry * 12;
    if (short(offset) !== 274) continue;
    const value = short(offset + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
