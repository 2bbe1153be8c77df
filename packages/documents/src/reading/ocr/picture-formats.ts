import type { Format } from '../formats.js';
import { isBmp, isJpeg, isPng, isTiff, isWebp } from './picture-size.js';

const kinds = [
  { id: 'png', mediaTypes: ['image/png'], extensions: ['.png'], recognises: isPng },
  { id: 'jpeg', mediaTypes: ['image/jpeg'], extensions: ['.jpg', '.jpeg'], recognises: isJpeg },
  { id: 'tiff', mediaTypes: ['image/tiff'], extensions: ['.tif', '.tiff'], recognises: isTiff },
  { id: 'bmp', mediaTypes: ['image/bmp'], extensions: ['.bmp'], recognises: isBmp },
  { id: 'webp', mediaTypes: ['image/webp'], extensions: ['.webp'], recognises: isWebp },
] as const;

/** Pictures, which are read only where OCR is on. */
export const pictureFormats: readonly Format[] = kinds.map((kind) => ({
  ...kind,
  isText: false,
  needsRecogniser: true,
  load: async () => (await import('./picture-reader.js')).createPictureReader(kind),
}));
