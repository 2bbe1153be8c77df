/** Sizes of pictures out of their headers, so that a picture of a billion pixels is refused before it is decoded. */

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export const isPng = (bytes: Uint8Array): boolean => begins(bytes, '\x89PNG\r\n\x1a\n');
export const isJpeg = (bytes: Uint8Array): boolean => begins(bytes, '\xff\xd8\xff');
export const isTiff = (bytes: Uint8Array): boolean => begins(bytes, 'II*\0') || begins(bytes, 'MM\0*');
export const isBmp = (bytes: Uint8Array): boolean =>
  begins(bytes, 'BM') && bytes.length > 26 && bytes[6] === 0 && bytes[7] === 0;
export const isWebp = (bytes: Uint8Array): boolean => begins(bytes, 'RIFF') && begins(bytes.subarray(8), 'WEBP');

/** Width and height in pixels; of a TIFF, the largest of its pages. Undefined where the header is damaged. */
export function pictureSize(bytes: Uint8Array): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (isPng(bytes)) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (isBmp(bytes)) return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
    if (isWebp(bytes)) return webpSize(view);
    if (isJpeg(bytes)) return jpegSize(view);
    if (isTiff(bytes)) return tiffSize(view);
  } catch {
    // Cut off.
  }
  return undefined;
}

/** RFC 9649, 2.5 to 2.7. */
function webpSize(view: DataView): PictureSize | undefined {
  const kind = view.getUint8(15);
  const three = (offset: number) => view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16);
  if (kind === 0x58) return { width: three(24) + 1, height: three(27) + 1 };
  if (kind === 0x4c) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

/** ITU T.81, B.2.2: the frame header, whichever of the thirteen there is. */
function jpegSize(view: DataView): PictureSize | undefined {
  for (let offset = 2; offset + 9 < view.byteLength; ) {
    if (view.getUint8(offset) !== 0xff) return undefined;
    const marker = view.getUint8(offset + 1);
    if (marker === 0xff) {
      offset++;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: view.getUint16(offset + 7), height: view.getUint16(offset + 5) };
    }
    offset += 2 + view.getUint16(offset + 2);
  }
  return undefined;
}

function tiffSize(view: DataView): PictureSize | undefined {
  const little = view.getUint8(0) === 0x49;
  let largest: PictureSize | undefined;
  for (const directory of tiffDirectories(view)) {
    let [width, height] = [0, 0];
    for (let entry = 0; entry < view.getUint16(directory, little); entry++) {
      const offset = directory + 2 + entry * 12;
      const tag = view.getUint16(offset, little);
      if (tag !== 256 && tag !== 257) continue;
      const isShort = view.getUint16(offset + 2, little) === 3;
      const value = isShort ? view.getUint16(offset + 8, little) : view.getUint32(offset + 8, little);
      if (tag === 256) width = value;
      else height = value;
    }
    if (!largest || width * height > largest.width * largest.height) largest = { width, height };
  }
  return largest;
}

/** Where the directory of each page of a TIFF begins (TIFF 6.0, section 2), at most `most` of them. */
export function tiffDirectories(view: DataView, most = 10_000): number[] {
  const little = view.getUint8(0) === 0x49;
  const directories: number[] = [];
  let offset = view.getUint32(4, little);
  while (offset !== 0 && offset + 2 <= view.byteLength && directories.length < most && !directories.includes(offset)) {
    directories.push(offset);
    const next = offset + 2 + view.getUint16(offset, little) * 12;
    if (next + 4 > view.byteLength) break;
    offset = view.getUint32(next, little);
  }
  return directories;
}

/** The TIFF whose first page is the one with this directory. */
export function tiffFrom(bytes: Uint8Array, directory: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  new DataView(copy.buffer).setUint32(4, directory, copy[0] === 0x49);
  return copy;
}

function begins(bytes: Uint8Array, signature: string): boolean {
  if (bytes.length < signature.length) return false;
  for (let index = 0; index < signature.length; index++) if (bytes[index] !== signature.charCodeAt(index)) return false;
  return true;
}
