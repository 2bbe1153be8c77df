import { type Matrix, multiply } from '../pdf/matrix.js';
import type { GreyPicture } from './raster.js';

/** The part of a page of PDF.js that is used, opened with pictures decoded. */
export interface PicturedPage {
  readonly objs: PageObjects;
  readonly commonObjs: PageObjects;
  getOperatorList(): Promise<{ readonly fnArray: readonly number[]; readonly argsArray: readonly unknown[] }>;
}

interface PageObjects {
  get(id: string, whenThere: (value: unknown) => void): unknown;
}

/** A picture on a page. `placement` takes the unit square to the page's own units. */
export interface PlacedPicture {
  readonly picture: GreyPicture;
  readonly placement: Matrix;
}

/** Operations of PDF.js (`OPS`). */
const operation = {
  save: 10,
  restore: 11,
  transform: 12,
  showText: 44,
  lastShowText: 47,
  formBegin: 74,
  formEnd: 75,
  mask: 83,
  maskGroup: 84,
  image: 85,
  inlineImage: 86,
  constructPath: 91,
} as const;

/** What PDF.js makes of a picture (`ImageKind`: 1 one bit a pixel, 2 RGB, 3 RGBA). */
interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly kind?: number;
  readonly data?: Uint8Array | Uint8ClampedArray | string;
  readonly transform?: Matrix;
}

/** What a page shows. */
export interface PagePictures {
  /** With their places, in the order in which they are drawn. */
  readonly pictures: readonly PlacedPicture[];
  /** Whether letters, or shapes that may be letters, are drawn as well. */
  readonly hasDrawing: boolean;
}

/** More shapes than this are letters or a drawing; fewer are lines and frames around a scan. */
const framesAtMost = 50;

export async function picturesOf(page: PicturedPage): Promise<PagePictures> {
  const { fnArray, argsArray } = await page.getOperatorList();
  const placed: PlacedPicture[] = [];
  const kept: Matrix[] = [];
  let matrix: Matrix = [1, 0, 0, 1, 0, 0];
  const place = async (image: DecodedImage | undefined, isMask: boolean, inner?: Matrix) => {
    const picture = image && (await greyOf(image, isMask, page));
    if (picture) placed.push({ picture, placement: inner ? multiply(matrix, inner) : matrix });
  };
  for (const [index, code] of fnArray.entries()) {
    const values = argsArray[index] as readonly unknown[] | null;
    switch (code) {
      case operation.save:
        kept.push(matrix);
        break;
      case operation.restore:
      case operation.formEnd:
        matrix = kept.pop() ?? matrix;
        break;
      case operation.transform:
        matrix = multiply(matrix, values as unknown as Matrix);
        break;
      case operation.formBegin:
        kept.push(matrix);
        if (values?.[0]) matrix = multiply(matrix, values[0] as Matrix);
        break;
      case operation.image:
        await place(await objectOf(page, values?.[0] as string), false);
        break;
      case operation.inlineImage:
        await place(values?.[0] as DecodedImage, false);
        break;
      case operation.mask:
        await place(values?.[0] as DecodedImage, true);
        break;
      case operation.maskGroup:
        for (const image of (values?.[0] ?? []) as DecodedImage[]) await place(image, true, image.transform);
        break;
    }
  }
  const texts = fnArray.filter((code) => code >= operation.showText && code <= operation.lastShowText).length;
  const shapes = fnArray.filter((code) => code === operation.constructPath).length;
  return { pictures: placed, hasDrawing: texts > 0 || shapes > framesAtMost };
}

async function objectOf(page: PicturedPage, id: string): Promise<DecodedImage | undefined> {
  const objects = id.startsWith('g_') ? page.commonObjs : page.objs;
  return await new Promise((resolve) => objects.get(id, (value) => resolve((value ?? undefined) as DecodedImage)));
}

async function greyOf(image: DecodedImage, isMask: boolean, page: PicturedPage): Promise<GreyPicture | undefined> {
  let { data } = image;
  if (typeof data === 'string') data = (await objectOf(page, data))?.data;
  if (data === undefined || typeof data === 'string' || data.length === 0) return undefined;
  const { width, height } = image;
  const kind = isMask ? 1 : (image.kind ?? Math.round(data.length / (width * height)) - 1);
  const pixels = new Uint8Array(width * height);
  if (kind === 1) {
    // A mask paints where its bits are 0, and a picture of one bit is black there.
    const rowBytes = Math.ceil(width / 8);
    for (let y = 0, index = 0; y < height; y++) {
      for (let x = 0; x < width; x++, index++) {
        pixels[index] = (data[y * rowBytes + (x >> 3)]! >> (7 - (x & 7))) & 1 ? 255 : 0;
      }
    }
  } else {
    const channels = kind === 2 ? 3 : 4;
    for (let index = 0, from = 0; index < pixels.length; index++, from += channels) {
      // Rec. 601 luma, which is what scanners and Leptonica use.
      const grey = data[from]! * 0.299 + data[from + 1]! * 0.587 + data[from + 2]! * 0.114;
      const opacity = channels === 4 ? data[from + 3]! / 255 : 1;
      pixels[index] = 255 - (255 - grey) * opacity;
    }
  }
  return { width, height, pixels };
}
