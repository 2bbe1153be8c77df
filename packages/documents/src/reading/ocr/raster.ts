import { invert, type Matrix } from '../pdf/matrix.js';

/** Grey levels by row, 0 black to 255 white. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export function whitePicture(width: number, height: number): GreyPicture {
  return { width, height, pixels: new Uint8Array(width * height).fill(255) };
}

/**
 * Draws a picture onto another, the darker of both at every place. `placement` takes the unit square, whose top edge (y = 1) is
 * the first row of the picture, to pixels of `onto`.
 */
export function drawPicture(onto: GreyPicture, picture: GreyPicture, placement: Matrix): void {
  const back = invert(placement);
  if (!back) return;
  const [a, b, c, d, e, f] = placement;
  const xs = [e, a + e, c + e, a + c + e];
  const ys = [f, b + f, d + f, b + d + f];
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const right = Math.min(onto.width, Math.ceil(Math.max(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(onto.height, Math.ceil(Math.max(...ys)));
  // Pixels of the picture for a step of one to the right, and for one down.
  const [acrossX, acrossY] = [back[0] * picture.width, -back[1] * picture.height];
  const [downX, downY] = [back[2] * picture.width, -back[3] * picture.height];
  const step = Math.max(Math.hypot(acrossX, acrossY), Math.hypot(downX, downY));
  const sample = step > 1.2 ? averager(picture, Math.min(8, Math.ceil(step))) : interpolator(picture);
  for (let y = top; y < bottom; y++) {
    let sourceX = (back[0] * (left + 0.5) + back[2] * (y + 0.5) + back[4]) * picture.width;
    let sourceY = (1 - (back[1] * (left + 0.5) + back[3] * (y + 0.5) + back[5])) * picture.height;
    for (let x = left; x < right; x++, sourceX += acrossX, sourceY += acrossY) {
      if (sourceX < 0 || sourceY < 0 || sourceX >= picture.width || sourceY >= picture.height) continue;
      const value = sample(sourceX, sourceY);
      const index = y * onto.width + x;
      if (value < onto.pixels[index]!) onto.pixels[index] = value;
    }
  }
}

/** The mean of `size` × `size` pixels around a place: what makes a picture smaller without tearing thin strokes. */
function averager({ width, height, pixels }: GreyPicture, size: number) {
  return (x: number, y: number): number => {
    const left = Math.max(0, Math.min(width - size, Math.round(x - size / 2)));
    const top = Math.max(0, Math.min(height - size, Math.round(y - size / 2)));
    const right = Math.min(width, left + size);
    const bottom = Math.min(height, top + size);
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let index = row * width + left; index < row * width + right; index++) sum += pixels[index]!;
    }
    return sum / ((right - left) * (bottom - top));
  };
}

/** The value between the four pixels around a place: what makes a picture larger without stairs. */
function interpolator({ width, height, pixels }: GreyPicture) {
  return (x: number, y: number): number => {
    const left = Math.max(0, Math.min(width - 1, Math.floor(x - 0.5)));
    const top = Math.max(0, Math.min(height - 1, Math.floor(y - 0.5)));
    const right = Math.min(width - 1, left + 1);
    const bottom = Math.min(height - 1, top + 1);
    const alongX = Math.max(0, Math.min(1, x - 0.5 - left));
    const alongY = Math.max(0, Math.min(1, y - 0.5 - top));
    const upper = pixels[top * width + left]! * (1 - alongX) + pixels[top * width + right]! * alongX;
    const lower = pixels[bottom * width + left]! * (1 - alongX) + pixels[bottom * width + right]! * alongX;
    return upper * (1 - alongY) + lower * alongY;
  };
}

/** A PGM file (Netpbm, binary grey map): what every program that opens pictures opens. */
export function pgmOf({ width, height, pixels }: GreyPicture): Uint8Array {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), pixels]);
}
