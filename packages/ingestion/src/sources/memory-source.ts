import { hash } from 'node:crypto';
import { AquiferError, type Metadata, parseMetadata, type Source, type SourceItem } from '@aquifer/contracts';
import { storableText } from '../storable-text.js';

export interface MemoryDocument {
  /** Names the document inside the source, such as `faq/leave.md`. Its ending decides how the document is read. */
  readonly path: string;
  /** Either text or bytes. */
  readonly text?: string;
  readonly bytes?: Uint8Array;
  /** Default: the document's own, else one made of the path. Empty: none. */
  readonly title?: string;
  readonly metadata?: Metadata;
  /** Default: by the ending of `path`; plain text where it has none. */
  readonly mediaType?: string;
  /** Where the original is, such as `s3://handbook/leave.md`. Default: a name in memory. */
  readonly uri?: string;
}

export interface MemorySourceOptions {
  /** Stable across runs: documents of the same id that are not in the list any more are deleted. */
  readonly id: string;
  readonly documents: readonly MemoryDocument[];
  /** For people. Default: the id. */
  readonly description?: string;
}

/**
 * A source of documents that a program holds.
 *
 * @throws `invalid-options` for paths that are empty or given twice, and for documents without text and bytes;
 *   `invalid-document` for metadata of the wrong shape.
 * @example
 * createMemorySource({ id: 'faq', documents: [{ path: 'leave.md', text: '# Leave\n\n52 weeks.' }] });
 */
export function createMemorySource(options: MemorySourceOptions): Source {
  const items = new Map<string, SourceItem>();
  for (const document of options.documents) {
    const item = memoryItem(options.id, document);
    if (items.has(item.path)) {
      throw new AquiferError('invalid-options', `The path ${JSON.stringify(item.path)} is given twice.`);
    }
    items.set(item.path, item);
  }
  return {
    id: options.id,
    description: options.description ?? options.id,
    scope: [''],
    async *list() {
      yield* items.values();
    },
  };
}

function memoryItem(sourceId: string, document: MemoryDocument): SourceItem {
  const path = storableText(document.path).normalize('NFC');
  if (path === '') throw new AquiferError('invalid-options', 'A document needs a path that is not empty.');
  if ((document.text === undefined) === (document.bytes === undefined)) {
    throw new AquiferError('invalid-options', `${path}: a document needs either text or bytes.`);
  }
  const bytes = document.bytes ?? Buffer.from(document.text ?? '', 'utf8');
  const metadata = parseMetadata(document.metadata ?? {}, path);
  const hasEnding = /\.[^./]+$/.test(path);
  const mediaType = document.mediaType ?? (document.text !== undefined && !hasEnding ? 'text/plain' : undefined);
  const attributes = JSON.stringify([document.title ?? null, mediaType ?? null, metadata]);
  return {
    path,
    uri: document.uri ?? `memory:${encodeURIComponent(sourceId)}/${path.split('/').map(encodeURIComponent).join('/')}`,
    bytes: bytes.byteLength,
    stamp: `${hash('sha256', bytes, 'hex')}-${hash('sha256', attributes, 'hex')}`,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(document.title === undefined ? {} : { title: document.title }),
    // A copy: readers may hand the bytes over to another thread, and the next run wants them again.
    read: async () => ({ bytes: new Uint8Array(bytes), metadata }),
  };
}
