import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentBytes, DocumentCall, DocumentIdentifier } from '@aquifer/bedrock-wire';
import type { Metadata } from '@aquifer/contracts';
import { createRecordFolder, nothingThere } from './record-folder.js';

/** What was asked for one document, and is not done yet. */
export interface WaitingDocument {
  /** In order of asking. */
  readonly name: string;
  readonly operation: 'ingest' | 'delete';
  readonly identifier: DocumentIdentifier;
  /** Of `ingest`; the content itself lies beside it. */
  readonly content?:
    | { readonly type: 'text' | 'bytes'; readonly mediaType: string }
    | { readonly type: 'object'; readonly uri: string };
  readonly metadata?: Metadata;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  /** Why it could not be done. It waits no more, and is kept to say so until the document is asked for again. */
  readonly failure?: string;
  /** It was not done because no reader takes its kind. */
  readonly isIgnored?: boolean;
}

export type WaitingFailure = Pick<WaitingDocument, 'isIgnored'> & { readonly reason: string };

/** Documents of one data source that wait for their turn, in files: what was accepted is not lost with the process. */
export interface WaitingDocuments {
  /** In order of asking. */
  list(): Promise<readonly WaitingDocument[]>;
  ingest(document: DocumentCall, at: number): Promise<void>;
  delete(identifier: DocumentIdentifier, at: number): Promise<void>;
  /** Undefined where it is gone. */
  bytesOf(waiting: WaitingDocument): Promise<Uint8Array | undefined>;
  fail(waiting: WaitingDocument, failure: WaitingFailure): Promise<void>;
  done(waiting: WaitingDocument): Promise<void>;
}

let asked = 0;

/** Later ones are greater, also in the same millisecond. */
function nextName(at: number): string {
  asked += 1;
  return `${String(at).padStart(15, '0')}-${String(asked).padStart(9, '0')}-${randomUUID()}`;
}

export function createWaitingDocuments(path: string): WaitingDocuments {
  const records = createRecordFolder<Omit<WaitingDocument, 'name'>>(path);
  const contentPath = (name: string) => join(path, `${name}.content`);

  async function keep(name: string, content: DocumentBytes): Promise<WaitingDocument['content']> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const bytes = content.type === 'text' ? content.text : content.bytes;
    await writeFile(contentPath(name), bytes, { mode: 0o600 });
    return content.type === 'text'
      ? { type: 'text', mediaType: 'text/plain' }
      : { type: 'bytes', mediaType: content.mediaType };
  }

  return {
    async list() {
      const found: WaitingDocument[] = [];
      for (const name of await records.names()) {
        const record = await records.read(name);
        if (record !== undefined) found.push({ ...record, name });
      }
      return found;
    },
    async ingest({ identifier, content, metadata }, at) {
      const name = nextName(at);
      // What belongs to a record is there before it.
      const kept = content.type === 'object' ? content : await keep(name, content);
      await records.write(name, {
        operation: 'ingest',
        identifier,
        content: kept,
        ...(metadata && { metadata }),
        askedAt: at,
      });
    },
    delete: (identifier, at) => records.write(nextName(at), { operation: 'delete', identifier, askedAt: at }),
    bytesOf: ({ name }) => readFile(contentPath(name)).catch(nothingThere),
    async fail({ name, ...record }, { reason, ...why }) {
      await records.write(name, { ...record, failure: reason, ...why });
      await rm(contentPath(name), { force: true });
    },
    async done({ name }) {
      await records.remove(name);
      await rm(contentPath(name), { force: true });
    },
  };
}
