import type { Reader } from '@aquifer/contracts';
import { pictureFormats } from './ocr/picture-formats.js';
import { isEncryptedOffice } from './office/office-file.js';
import {
  isDocx,
  isEml,
  isEpub,
  isHtml,
  isOldExcel,
  isOldPowerPoint,
  isOldWord,
  isPdf,
  isPptx,
  isRtf,
  isXlsx,
  openDocumentKind,
} from './signatures.js';
import { plainTextExtensions, plainTextNames } from './text/plain-text-extensions.js';
import { sourceCodeExtensions, sourceCodeNames } from './text/source-code-extensions.js';

/** What is known about a format before its reader is loaded. */
export interface Format {
  readonly id: string;
  /** Lower case; the first is the one reported. */
  readonly mediaTypes: readonly string[];
  /** Lower case, with the dot. */
  readonly extensions: readonly string[];
  /** Whole file names, lower case, of files that have no extension. */
  readonly names?: readonly string[];
  /** Whether the bytes begin like this format. Absent where any text may be of it. */
  readonly recognises?: (bytes: Uint8Array) => boolean;
  /** Whether files of this format are text, in which case its signature is a hint and not a condition. */
  readonly isText: boolean;
  /** Whether such files are read only where OCR is on. */
  readonly needsRecogniser?: boolean;
  readonly load: () => Promise<Reader>;
}

/**
 * Every format there is a reader for. A new format is one file beside this one and one entry here:
 *
 * ```ts
 * {
 *   id: 'docx',
 *   mediaTypes: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
 *   extensions: ['.docx'],
 *   recognises: isDocx, // of signatures.ts
 *   isText: false,
 *   load: async () => (await import('./office/docx.js')).docxReader,
 * }
 * ```
 */
export const formats: readonly Format[] = [
  {
    id: 'pdf',
    mediaTypes: ['application/pdf'],
    extensions: ['.pdf'],
    recognises: isPdf,
    isText: false,
    load: async () => (await import('./pdf.js')).pdfReader,
  },
  {
    id: 'docx',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    extensions: ['.docx', '.docm', '.dotx'],
    recognises: (bytes) => isDocx(bytes) || isEncryptedOffice(bytes),
    isText: false,
    load: async () => (await import('./office/docx.js')).docxReader,
  },
  {
    id: 'xlsx',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    extensions: ['.xlsx', '.xlsm', '.xltx'],
    recognises: (bytes) => isXlsx(bytes) || isEncryptedOffice(bytes),
    isText: false,
    load: async () => (await import('./office/xlsx.js')).xlsxReader,
  },
  {
    id: 'pptx',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.presentationml.presentation'],
    extensions: ['.pptx', '.pptm', '.ppsx', '.ppsm', '.potx'],
    recognises: (bytes) => isPptx(bytes) || isEncryptedOffice(bytes),
    isText: false,
    load: async () => (await import('./office/pptx.js')).pptxReader,
  },
  {
    id: 'odt',
    mediaTypes: ['application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text-template'],
    extensions: ['.odt', '.ott'],
    recognises: (bytes) => /^text/.test(openDocumentKind(bytes) ?? ''),
    isText: false,
    load: async () => (await import('./open-document/odt.js')).odtReader,
  },
  {
    id: 'ods',
    mediaTypes: ['application/vnd.oasis.opendocument.spreadsheet'],
    extensions: ['.ods', '.ots'],
    recognises: (bytes) => /^spreadsheet/.test(openDocumentKind(bytes) ?? ''),
    isText: false,
    load: async () => (await import('./open-document/ods.js')).odsReader,
  },
  {
    id: 'odp',
    mediaTypes: ['application/vnd.oasis.opendocument.presentation', 'application/vnd.oasis.opendocument.graphics'],
    extensions: ['.odp', '.otp', '.odg'],
    recognises: (bytes) => /^(?:presentation|graphics)/.test(openDocumentKind(bytes) ?? ''),
    isText: false,
    load: async () => (await import('./open-document/odp.js')).odpReader,
  },
  {
    id: 'epub',
    mediaTypes: ['application/epub+zip'],
    extensions: ['.epub'],
    recognises: isEpub,
    isText: false,
    load: async () => (await import('./markup/epub.js')).epubReader,
  },
  {
    id: 'rtf',
    mediaTypes: ['application/rtf', 'text/rtf'],
    extensions: ['.rtf'],
    recognises: isRtf,
    isText: false,
    load: async () => (await import('./rtf/rtf.js')).rtfReader,
  },
  {
    id: 'eml',
    mediaTypes: ['message/rfc822'],
    extensions: ['.eml'],
    recognises: isEml,
    isText: false,
    load: async () => (await import('./eml.js')).emlReader,
  },
  {
    id: 'doc',
    mediaTypes: ['application/msword'],
    extensions: ['.doc', '.dot'],
    recognises: isOldWord,
    isText: false,
    load: async () => (await import('./old-office/doc.js')).docReader,
  },
  {
    id: 'xls',
    mediaTypes: ['application/vnd.ms-excel'],
    extensions: ['.xls', '.xlt'],
    recognises: isOldExcel,
    isText: false,
    load: async () => (await import('./old-office/xls.js')).xlsReader,
  },
  {
    id: 'ppt',
    mediaTypes: ['application/vnd.ms-powerpoint'],
    extensions: ['.ppt', '.pps', '.pot'],
    recognises: isOldPowerPoint,
    isText: false,
    load: async () => (await import('./old-office/ppt.js')).pptReader,
  },
  {
    id: 'html',
    mediaTypes: ['text/html', 'application/xhtml+xml'],
    extensions: ['.html', '.htm', '.xhtml'],
    recognises: isHtml,
    isText: true,
    load: async () => (await import('./markup/html.js')).htmlReader,
  },
  {
    id: 'markdown',
    mediaTypes: ['text/markdown', 'text/x-markdown'],
    extensions: ['.md', '.markdown', '.mdown', '.mkd'],
    isText: true,
    load: async () => (await import('./markup/markdown.js')).markdownReader,
  },
  {
    id: 'csv',
    mediaTypes: ['text/csv', 'text/tab-separated-values'],
    extensions: ['.csv', '.tsv', '.tab'],
    isText: true,
    load: async () => (await import('./text/csv.js')).csvReader,
  },
  {
    id: 'json',
    mediaTypes: ['application/json'],
    extensions: ['.json', '.jsonc', '.geojson', '.webmanifest'],
    isText: true,
    load: async () => (await import('./text/json.js')).jsonReader,
  },
  {
    id: 'jsonl',
    mediaTypes: ['application/jsonl', 'application/x-ndjson'],
    extensions: ['.jsonl', '.ndjson'],
    isText: true,
    load: async () => (await import('./text/jsonl.js')).jsonLinesReader,
  },
  {
    id: 'source-code',
    mediaTypes: ['text/x-source'],
    extensions: sourceCodeExtensions,
    names: sourceCodeNames,
    isText: true,
    load: async () => (await import('./text/source-code.js')).sourceCodeReader,
  },
  {
    id: 'plain-text',
    mediaTypes: ['text/plain'],
    extensions: plainTextExtensions,
    names: plainTextNames,
    isText: true,
    load: async () => (await import('./text/plain-text.js')).plainTextReader,
  },
  ...pictureFormats,
];
