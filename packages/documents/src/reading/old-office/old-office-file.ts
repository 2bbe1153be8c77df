import { AquiferError, type Metadata, type MetadataValue } from '@aquifer/contracts';
import { decodeCodePage } from '../rtf/rtf-code-pages.js';
import { describeContent } from '../signatures.js';
import { type CompoundFile, isCompoundFile, openCompoundFile } from './compound-file.js';

/**
 * Opens a file of Office before 2007.
 *
 * @param kind For messages: "a Word 97–2003 document".
 * @throws `unsupported-format` or `invalid-document`.
 */
export function openOldOffice(bytes: Uint8Array, name: string, kind: string): CompoundFile {
  if (!isCompoundFile(bytes)) {
    throw new AquiferError('unsupported-format', `${name} is ${describeContent(bytes)}, not ${kind}.`);
  }
  const file = openCompoundFile(bytes);
  if (!file) throw damagedOldOffice(name, kind);
  return file;
}

export function damagedOldOffice(name: string, kind: string, cause?: unknown): AquiferError {
  return new AquiferError(
    'invalid-document',
    `${name} is damaged and cannot be read as ${kind}. Get a new copy, or open it and save it again.`,
    { cause },
  );
}

/** @param extension Of the format of today, such as "docx". */
export function encryptedOldOffice(name: string, extension: string): AquiferError {
  return new AquiferError(
    'password-required',
    `${name} is protected with a password. Files of Office cannot be opened with one here: save a copy without a password, as .${extension}.`,
  );
}

/** Says how to make a file readable that is older than what can be read. */
export function tooOldOffice(name: string, what: string, extension: string): AquiferError {
  return new AquiferError(
    'unsupported-format',
    `${name} is ${what}. Save it as .${extension}, for example with LibreOffice: soffice --convert-to ${extension} ${JSON.stringify(name)}`,
  );
}

/** Property identifiers of the summary information (MS-OLEPS 2.25.1), and what they are called here. */
const texts: Readonly<Record<number, string>> = { 2: 'title', 3: 'subject', 4: 'author', 6: 'description' };
const times: Readonly<Record<number, string>> = { 12: 'created', 13: 'modified' };

/** Milliseconds between the beginning of file times (1601) and that of JavaScript. */
const fileTimeEpoch = 11_644_473_600_000;

/** Title and attributes that the file was saved with. Nothing where they cannot be read: they are a bonus. */
export function summaryOf(file: CompoundFile): { readonly title?: string; readonly metadata: Metadata } {
  const metadata: Record<string, MetadataValue> = {};
  const bytes = file.stream('\u0005SummaryInformation');
  if (!bytes) return { metadata };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number) => (offset + 4 <= bytes.length ? view.getUint32(offset, true) : 0);
  const section = at(44);
  const properties = new Map<number, number>();
  for (let index = 0, count = Math.min(at(section + 4), 100); index < count; index++) {
    properties.set(at(section + 8 + index * 8), section + at(section + 12 + index * 8));
  }
  const codePageOffset = properties.get(1);
  const codePage = codePageOffset === undefined ? 1252 : at(codePageOffset + 4) & 0xffff;
  let title = '';
  for (const [id, offset] of properties) {
    const key = texts[id] ?? times[id];
    if (key === undefined) continue;
    if (key in Object.fromEntries(Object.values(times).map((time) => [time, true]))) {
      const time = fileTime(at(offset + 4), at(offset + 8));
      if (time !== undefined) metadata[key] = time;
      continue;
    }
    const length = Math.min(at(offset + 4), 10_000);
    const raw = bytes.subarray(offset + 8, offset + 8 + length);
    const decoded = codePage === 1200 ? new TextDecoder('utf-16le').decode(raw) : decodeCodePage(raw, codePage);
    const value = decoded.replace(/\0.*$/s, '').replace(/\s+/g, ' ').trim();
    if (value === '') continue;
    if (key === 'title') title = value;
    else metadata[key] = value;
  }
  return { metadata, ...(title && { title }) };
}

function fileTime(low: number, high: number): string | undefined {
  const milliseconds = (high * 2 ** 32 + low) / 10_000 - fileTimeEpoch;
  const isPlausible = milliseconds > 0 && milliseconds < 4_102_444_800_000;
  return isPlausible ? new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z') : undefined;
}
