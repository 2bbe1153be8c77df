import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AquiferError, type ReadInput, type ReadOptions, throwIfAborted } from '@aquifer/contracts';
import type { Matrix } from './matrix.js';
import { createReadOnlyPort, type PdfPort } from './thread-port.js';

/** The part of PDF.js's document that is used (`PDFDocumentProxy`). */
export interface PdfDocument {
  readonly numPages: number;
  getPage(page: number): Promise<PdfPage>;
  getMetadata(): Promise<{ readonly info: Readonly<Record<string, unknown>> }>;
  getOutline(): Promise<readonly PdfOutlineItem[] | null>;
  /** By name; pages are counted from 0. */
  getFieldObjects(): Promise<Readonly<Record<string, readonly { readonly page: number }[]>> | null>;
}

/** An annotation's data, as far as form fields need it. */
export interface PdfAnnotation {
  readonly subtype: string;
  readonly rect: readonly number[];
  readonly fieldName?: string;
  readonly alternativeText?: string;
  readonly fieldType?: string | null;
  readonly fieldValue?: unknown;
  readonly checkBox?: boolean;
  readonly radioButton?: boolean;
  readonly pushButton?: boolean;
  readonly password?: boolean;
  readonly exportValue?: string;
  readonly buttonValue?: string | null;
  readonly options?: readonly { readonly exportValue: string; readonly displayValue: string }[];
}

export interface PdfOutlineItem {
  readonly title: string;
  readonly items: readonly PdfOutlineItem[];
}

/** `PDFPageProxy`. */
export interface PdfPage {
  readonly commonObjs: { has(id: string): boolean; get(id: string): unknown };
  getViewport(options: { readonly scale: number }): {
    readonly width: number;
    readonly height: number;
    readonly transform: Matrix;
  };
  getTextContent(): Promise<PdfTextContent>;
  getOperatorList(): Promise<PdfOperators>;
  getAnnotations(): Promise<readonly PdfAnnotation[]>;
  cleanup(): boolean;
}

/** `PDFOperatorList`. */
export interface PdfOperators {
  readonly fnArray: readonly number[];
  readonly argsArray: readonly unknown[];
}
export interface PdfTextContent {
  readonly items: readonly PdfTextItem[];
  readonly styles: Readonly<Record<string, { readonly fontFamily: string; readonly vertical: boolean }>>;
}

export interface PdfTextItem {
  readonly str: string;
  readonly dir: string;
  readonly width: number;
  readonly height: number;
  readonly transform: Matrix;
  readonly fontName: string;
  readonly hasEOL: boolean;
}

export interface OpenPdf {
  readonly document: PdfDocument;
  close(): Promise<void>;
}

/**
 * Opens a PDF, with the empty password first and then with each of `options.passwords`. With `maxPicturePixels`, its pages can be
 * drawn; without, only read.
 *
 * @throws `password-required`, `invalid-document`, `aborted`.
 */
export async function openPdf(
  input: ReadInput,
  options: ReadOptions,
  { maxPicturePixels }: { readonly maxPicturePixels?: number } = {},
): Promise<OpenPdf> {
  const { PDFParse } = await import('pdf-parse');
  const folder = pdfjsFolder();
  for (const password of [undefined, ...(options.passwords ?? [])]) {
    throwIfAborted(options.signal);
    const worker = maxPicturePixels ? undefined : await createReadOnlyWorker(folder);
    const parser = new PDFParse({
      // A copy, because PDF.js takes the buffer away from whoever gave it.
      data: new Uint8Array(input.bytes),
      ...(password !== undefined && { password }),
      ...pdfjsData(folder),
      ...(worker && { worker, disableFontFace: false, ownerDocument: documentWithoutGlyphs }),
      verbosity: 0,
      isEvalSupported: false,
      enableXfa: false,
      // Larger pictures are not decoded; for text alone, none is.
      maxImageSize: maxPicturePixels ?? 1,
    } as ConstructorParameters<typeof PDFParse>[0]);
    const close = async () => {
      await parser.destroy();
      worker?.destroy();
    };
    try {
      // `load` is missing from the type declarations, and the only door to PDF.js's own document.
      const document = await (parser as unknown as { load(): Promise<PdfDocument> }).load();
      restorePush();
      return { document, close };
    } catch (error) {
      await close().catch(() => undefined);
      if (!(error instanceof Error && error.name === 'PasswordException')) throw invalidPdf(input, error);
    }
  }
  throw new AquiferError(
    'password-required',
    options.passwords?.length
      ? `${input.name} is encrypted, and none of the ${options.passwords.length} given passwords opens it: add its own (--password-file).`
      : `${input.name} is encrypted: give its password (--password-file).`,
  );
}

/**
 * Where PDF.js registers fonts as a browser does. Without such a place, it makes a path of each glyph, to draw the text itself: a twelfth of
 * the time of reading, for nothing where nothing is drawn.
 */
const documentWithoutGlyphs = {
  documentElement: { getElementsByTagName: () => [{ append: () => {} }] },
  createElement: () => ({ sheet: { cssRules: [], insertRule: () => {} }, remove: () => {} }),
};

const nativePush = Array.prototype.push;

/**
 * PDF.js replaces `Array.prototype.push` for the whole thread by a polyfill (of a detail of frozen arrays) that takes a sixth of
 * the time of reading a PDF, once when it is imported and once when it opens its first file. Puts the original back.
 */
function restorePush(): void {
  if (Array.prototype.push !== nativePush) {
    Object.defineProperty(Array.prototype, 'push', { value: nativePush, writable: true, configurable: true });
  }
}

/** The error `invalid-document` for whatever PDF.js threw. */
export function invalidPdf(input: ReadInput, cause: unknown): AquiferError {
  const detail = cause instanceof Error ? cause.message.replace(/[.\s]+$/, '') : String(cause);
  return new AquiferError(
    'invalid-document',
    `${input.name} is damaged and cannot be read as a PDF (${detail}): open it in a PDF viewer, save it again, and retry.`,
    { cause },
  );
}

function pdfjsFolder(): string {
  const ownRequire = createRequire(import.meta.url);
  return dirname(createRequire(ownRequire.resolve('pdf-parse')).resolve('pdfjs-dist/package.json'));
}

interface PdfWorker {
  destroy(): void;
}

/** The half of PDF.js that parses, in this thread. */
async function createReadOnlyWorker(folder: string): Promise<PdfWorker> {
  // Of the build that pdf-parse imports: both have to be the same modules.
  const part = (name: string) => import(pathToFileURL(join(folder, 'legacy', 'build', name)).href);
  const { PDFWorker } = (await part('pdf.mjs')) as {
    readonly PDFWorker: new (options: { readonly port: PdfPort; readonly verbosity: number }) => PdfWorker;
  };
  const { WorkerMessageHandler } = (await part('pdf.worker.mjs')) as {
    readonly WorkerMessageHandler: { initializeFromPort(port: PdfPort): void };
  };
  const port = createReadOnlyPort();
  WorkerMessageHandler.initializeFromPort(port);
  return new PDFWorker({ port, verbosity: 0 });
}

/** Where PDF.js keeps the character maps and standard fonts that files may refer to without bringing them. */
function pdfjsData(folder: string): {
  cMapUrl: string;
  cMapPacked: true;
  standardFontDataUrl: string;
  wasmUrl: string;
} {
  return {
    cMapUrl: `${join(folder, 'cmaps')}/`,
    cMapPacked: true,
    standardFontDataUrl: `${join(folder, 'standard_fonts')}/`,
    wasmUrl: `${join(folder, 'wasm')}/`,
  };
}
