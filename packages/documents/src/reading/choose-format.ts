import { AquiferError, type ReadInput } from '@aquifer/contracts';
import { type Format, formats } from './formats.js';
import { isCompoundFile } from './old-office/compound-file.js';
import { describeOtherFormat } from './other-formats.js';
import { describeContent, isBinary, isZip, plainText } from './signatures.js';

/** The format that files of this name have. */
export function formatOfName(name: string): Format | undefined {
  const lower = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  const dot = lower.lastIndexOf('.');
  return dot < 0 ? byName.get(lower) : byExtension.get(lower.slice(dot));
}

/** Looked up for every file of a folder. */
const byExtension = new Map(formats.flatMap((format) => format.extensions.map((extension) => [extension, format])));
const byName = new Map(formats.flatMap((format) => (format.names ?? []).map((name) => [name, format])));

/** Why a file of this name is not read, and what to do, where the name says it: a picture without OCR, or a format that has no reader. */
export function describeUnread(name: string): string | undefined {
  return formatOfName(name)?.needsRecogniser
    ? `${name} is a picture: its text can be read with --ocr.`
    : describeOtherFormat(name);
}

/**
 * The format to read a file as: what its bytes say where they say it clearly, else what its name says, else its media type.
 * A PDF named `.txt` is a PDF, and an HTML page named `.pdf` an HTML page, but a Markdown file that begins like HTML is
 * Markdown.
 *
 * @throws `unsupported-format`, saying what the bytes look like.
 */
export function chooseFormat(input: ReadInput): Format {
  const { bytes, name } = input;
  const named = formatOfName(name) ?? formatOfMediaType(input.mediaType);
  if (named?.recognises?.(bytes)) return named;
  if (named?.isText && !isBinary(bytes) && !beginsLikePdf(bytes)) return named;
  const recognised = formats.find((format) => format.recognises?.(bytes));
  if (recognised) return recognised;
  // A damaged Office file is still an archive; its reader says what is wrong with it.
  if (named && !named.isText && (isZip(bytes) || isCompoundFile(bytes))) return named;
  const content = describeContent(bytes);
  const rename = content === plainText ? 'Rename it to .txt, or to what it is, such as .csv' : 'Get the right file';
  throw new AquiferError(
    'unsupported-format',
    named
      ? `${name} is not what its name says: it looks like ${content}. ${rename}, or leave it out.`
      : (describeOtherFormat(name) ??
          `${name} looks like ${content}, for which there is no reader. Supported: ${supportedExtensions()}.`),
  );
}

/**
 * Why files of this name are not read, and what to do, for who asks before there are bytes. Undefined where they are.
 *
 * @param recognises Whether OCR is on.
 */
export function whyUnread(name: string, { recognises }: { readonly recognises: boolean }): string | undefined {
  const format = formatOfName(name);
  if (format === undefined) {
    return (
      describeOtherFormat(name) ?? `There is no reader for ${name} by its name. Supported: ${supportedExtensions()}.`
    );
  }
  if (format.needsRecogniser !== true || recognises) return undefined;
  return `${name} is a picture, and OCR is off: turn it on (--ocr), or leave pictures out.`;
}

function formatOfMediaType(mediaType: string | undefined): Format | undefined {
  const bare = mediaType?.split(';')[0]?.trim().toLowerCase();
  return bare === undefined ? undefined : formats.find((format) => format.mediaTypes.includes(bare));
}

function beginsLikePdf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 5)).toString('latin1') === '%PDF-';
}

function supportedExtensions(): string {
  return formats.flatMap(({ extensions, needsRecogniser }) => (needsRecogniser ? [] : extensions[0])).join(' ');
}
