import { type ReadInput, throwIfAborted } from '@aquifer/contracts';
import { invert, type Matrix, multiply } from '../pdf/matrix.js';
import { openPdf, type PdfTextContent, type PdfTextItem } from '../pdf/open.js';
import { joinWords, type RecognisedLine, type RecognisedWord } from './hocr.js';
import { type PicturedPage, picturesOf } from './page-pictures.js';
import { drawPicture, type GreyPicture, pgmOf, whitePicture } from './raster.js';
import type { RecognisingOptions, TextRecogniser } from './text-recogniser.js';

/** Reads scanned pages of a PDF. */
export interface PageRecogniser {
  /** The text of a page as if it had been written there. Undefined where no text is found. */
  recognise(page: number): Promise<PdfTextContent | undefined>;
  close(): Promise<void>;
}

/** Pictures of more pixels are not decoded: A3 at 600 dots an inch has 70 million. */
const maxPicturePixels = 80_000_000;
/** A4 at 300 dots an inch, the resolution that Tesseract was made for, has nearly 9 million. */
const maxPagePixels = 12_000_000;
/** Pictures of fewer pixels on the longer side are enlarged: letters should be some 20 pixels high. */
const minPageSide = 2_400;

/**
 * The PDF is opened a second time, with pictures decoded, at its first scan. Its pictures are put together as they lie on the page (a scan may be
 * cut into strips, turned or mirrored) without anything native. Pages on which letters or shapes are drawn are
 * rendered where `@napi-rs/canvas` is installed.
 */
export function createPageRecogniser(
  input: ReadInput,
  options: RecognisingOptions,
  recogniser: TextRecogniser,
): PageRecogniser {
  let opening: ReturnType<typeof openPdf> | undefined;
  return {
    async recognise(number) {
      throwIfAborted(options.signal);
      opening ??= openPdf(input, options, { maxPicturePixels });
      const { document } = await opening;
      const page = (await document.getPage(number)) as unknown as DrawablePage;
      try {
        const viewport = page.getViewport({ scale: 1 });
        const drawn = await drawPage(page, viewport);
        if (!drawn) return undefined;
        const lines = await recogniser.recognise(pgmOf(drawn.picture), drawn.scale * 72);
        const letters = lines.reduce((sum, { words }) => sum + joinWords(words).length, 0);
        return letters < minLetters ? undefined : contentOf(lines, drawn.scale, viewport.transform);
      } finally {
        page.cleanup();
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}

/** Fewer on a page are stains, or a number plate in a photograph. */
const minLetters = 4;

interface Viewport {
  readonly width: number;
  readonly height: number;
  readonly transform: Matrix;
}

/** `PDFPageProxy`, of a document opened with pictures. */
interface DrawablePage extends PicturedPage {
  getViewport(options: { readonly scale: number }): Viewport;
  render(options: object): { readonly promise: Promise<void> };
  cleanup(): boolean;
}

interface DrawnPage {
  readonly picture: GreyPicture;
  /** Pixels a point. */
  readonly scale: number;
}

async function drawPage(page: DrawablePage, viewport: Viewport): Promise<DrawnPage | undefined> {
  const { pictures, hasDrawing } = await picturesOf(page);
  const { width, height, transform } = viewport;
  let finest = 0;
  for (const { picture, placement } of pictures) {
    const [a, b, c, d] = placement;
    const points = Math.sqrt(Math.abs(a * d - b * c));
    if (points > 0) finest = Math.max(finest, Math.sqrt(picture.width * picture.height) / points);
  }
  const least = minPageSide / Math.max(width, height);
  const most = Math.sqrt(maxPagePixels / (width * height));
  const scale = Math.min(most, Math.max(least, finest));
  if (!(scale > 0 && Number.isFinite(scale))) return undefined;
  if (hasDrawing || pictures.length === 0) {
    const rendered = await renderPage(page, Math.min(most, Math.max(finest, 300 / 72)));
    if (rendered || pictures.length === 0) return rendered;
  }
  const onto = whitePicture(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const toPixels = multiply([scale, 0, 0, scale, 0, 0], transform);
  for (const { picture, placement } of pictures) drawPicture(onto, picture, multiply(toPixels, placement));
  return { picture: onto, scale };
}

/** The part of `@napi-rs/canvas` that is used. */
interface CanvasModule {
  createCanvas(
    width: number,
    height: number,
  ): { getContext(kind: '2d'): { getImageData(...box: number[]): { readonly data: Uint8ClampedArray } } };
}

async function renderPage(page: DrawablePage, scale: number): Promise<DrawnPage | undefined> {
  const canvasModule = await loadCanvas();
  if (!canvasModule) return undefined;
  const viewport = page.getViewport({ scale });
  const [width, height] = [Math.max(1, Math.floor(viewport.width)), Math.max(1, Math.floor(viewport.height))];
  const canvas = canvasModule.createCanvas(width, height);
  const canvasContext = canvas.getContext('2d');
  try {
    await page.render({ canvas, canvasContext, viewport }).promise;
  } catch {
    return undefined;
  }
  const { data } = canvasContext.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height);
  for (let index = 0, from = 0; index < pixels.length; index++, from += 4) {
    pixels[index] = data[from]! * 0.299 + data[from + 1]! * 0.587 + data[from + 2]! * 0.114;
  }
  return { picture: { width, height, pixels }, scale };
}

async function loadCanvas(): Promise<CanvasModule | undefined> {
  try {
    // Not a dependency: pdf-parse brings it where there is a build for the machine.
    const name = '@napi-rs/canvas';
    return (await import(name)) as CanvasModule;
  } catch {
    return undefined;
  }
}

const fontName = 'recognised';
/** A wider gap than this many sizes between two words separates columns or cells. */
const cellGap = 2;

/** Lines as text items of PDF.js, so that columns, tables, paragraphs and headings are found as in any PDF. */
function contentOf(lines: readonly RecognisedLine[], scale: number, viewportTransform: Matrix): PdfTextContent {
  const back = invert(viewportTransform) ?? [1, 0, 0, 1, 0, 0];
  const sizes = evenSizes(lines);
  const items = lines.flatMap((line, index) =>
    cellsOf(line).map((words): PdfTextItem => {
      const left = words[0]!.left / scale;
      const size = sizes[index]! / scale;
      return {
        str: joinWords(words),
        dir: 'ltr',
        width: words.at(-1)!.right / scale - left,
        height: size,
        transform: multiply(back, [size, 0, 0, -size, left, line.baseline / scale]),
        fontName,
        hasEOL: true,
      };
    }),
  );
  return { items, styles: { [fontName]: { fontFamily: 'sans-serif', vertical: false } } };
}

function cellsOf(line: RecognisedLine): RecognisedWord[][] {
  const cells: RecognisedWord[][] = [];
  for (const word of line.words) {
    const open = cells.at(-1);
    if (open && word.left - open.at(-1)!.right <= line.size * cellGap) open.push(word);
    else cells.push([word]);
  }
  return cells;
}

/**
 * One size for a paragraph, and one for all that is about as large as most of the page: measured sizes differ by a tenth, and that must
 * not make headings.
 */
function evenSizes(lines: readonly RecognisedLine[]): number[] {
  const body = median(lines.map(({ size, words }) => [size, joinWords(words).length]));
  const byParagraph = new Map<number, [size: number, weight: number][]>();
  for (const { paragraph, size } of lines) {
    const sizes = byParagraph.get(paragraph) ?? [];
    sizes.push([size, 1]);
    byParagraph.set(paragraph, sizes);
  }
  return lines.map(({ paragraph }) => {
    const size = median(byParagraph.get(paragraph)!);
    return Math.abs(size - body) < body * 0.2 ? body : size;
  });
}

function median(weighted: [value: number, weight: number][]): number {
  const sorted = weighted.toSorted(([a], [b]) => a - b);
  let left = sorted.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  for (const [value, weight] of sorted) {
    left -= weight;
    if (left <= 0) return value;
  }
  return sorted.at(-1)?.[0] ?? 0;
}
