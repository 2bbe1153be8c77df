import type { PdfPicture } from './pdf-samples.js';

/** A picture of lines of text, as a scanner would make it. */
export interface DrawnText extends PdfPicture {
  readonly channels: 1;
  readonly png: Buffer;
}

interface Canvas {
  getContext(kind: '2d'): {
    fillStyle: string;
    font: string;
    fillRect(...box: number[]): void;
    fillText(text: string, x: number, y: number): void;
    getImageData(...box: number[]): { readonly data: Uint8ClampedArray };
  };
  toBuffer(type: 'image/png'): Buffer;
}

interface CanvasModule {
  createCanvas(width: number, height: number): Canvas;
  readonly GlobalFonts: { readonly families: readonly { readonly family: string }[] };
}

/** Fonts of the machine that can write each language. */
const fonts = {
  eng: /dejavu sans$|arial|helvetica|liberation sans$|noto sans$/i,
  jpn: /cjk jp|gothic|mincho|hiragino|meiryo/i,
};

/**
 * What draws text in a language on this machine, or why it cannot: there may be no `@napi-rs/canvas`, or no such font.
 */
export async function textDrawer(language: keyof typeof fonts): Promise<
  | {
      readonly draw: (
        lines: readonly string[],
        size?: number,
        page?: readonly [width: number, height: number],
      ) => DrawnText;
    }
  | { readonly skip: string }
> {
  const name = '@napi-rs/canvas';
  const canvasModule = (await import(name).catch(() => undefined)) as CanvasModule | undefined;
  if (!canvasModule) return { skip: 'no @napi-rs/canvas to draw a scan with' };
  const font = canvasModule.GlobalFonts.families.find(({ family }) => fonts[language].test(family))?.family;
  if (font === undefined) return { skip: `no font for ${language} to draw a scan with` };
  return {
    // The page is A4 at 150 dots an inch, unless another size is given.
    draw(lines, size = 36, [width, height] = [1240, 1754]) {
      const canvas = canvasModule.createCanvas(width, height);
      const context = canvas.getContext('2d');
      context.fillStyle = 'white';
      context.fillRect(0, 0, width, height);
      context.fillStyle = '#202020';
      context.font = `${size}px "${font}"`;
      for (const [index, line] of lines.entries())
        context.fillText(line, width / 10, height / 9 + (index + 0.5) * size * 1.6);
      const { data } = context.getImageData(0, 0, width, height);
      const pixels = new Uint8Array(width * height);
      for (let index = 0; index < pixels.length; index++) pixels[index] = data[index * 4]!;
      return { width, height, channels: 1, pixels, png: canvas.toBuffer('image/png') };
    },
  };
}
