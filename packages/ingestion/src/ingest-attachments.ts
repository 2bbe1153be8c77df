import { hash } from 'node:crypto';
import type { Attachment, DocumentRecord, Metadata, SourceItem } from '@aquifer/contracts';
import type { DocumentContext, DocumentOutcome } from './ingest-document.js';
import type { WorkItem } from './snapshot.js';
import { storableText } from './storable-text.js';

/** Messages inside of messages: what is attached to the last of them is left out. */
const maxDepth = 4;
/** Documents that one file may become, beside itself. */
const maxPerFile = 1_000;
const maxNameCharacters = 200;

/** Where a document that came inside of another belongs. */
export interface InsideOf {
  readonly parentId: string;
  readonly depth: number;
  /** How many more documents the outermost file may become. */
  readonly budget: { left: number };
}

/** The attachments that become documents, and what is to be said of the others. */
export interface AdmittedAttachments {
  readonly attachments: readonly Attachment[];
  readonly omissions: readonly string[];
}

/** Those that there is a reader for, under names of their own, within the limits. */
export function admitAttachments(
  attachments: readonly Attachment[],
  { reader, insideOf, onSkippedAttachment }: DocumentContext,
): AdmittedAttachments {
  const named = uniqueNames(attachments);
  const readable = named.filter(({ name }) => reader.mediaType(name) !== undefined);
  onSkippedAttachment(named.length - readable.length);
  if ((insideOf?.depth ?? 0) >= maxDepth && readable.length > 0) {
    const reason = `its ${readable.length} attachments are left out: at most ${maxDepth} messages inside of each other are read`;
    return { attachments: [], omissions: [reason] };
  }
  const allowed = readable.slice(0, insideOf?.budget.left ?? maxPerFile);
  if (allowed.length === readable.length) return { attachments: readable, omissions: [] };
  const reason = `${readable.length - allowed.length} of ${readable.length} attachments are left out: at most ${maxPerFile} a file are read`;
  return { attachments: allowed, omissions: [reason] };
}

/** Names as parts of paths, no two the same: `report.pdf`, `report (2).pdf`. */
function uniqueNames(attachments: readonly Attachment[]): Attachment[] {
  const taken = new Set<string>();
  return attachments.map(({ name: given, bytes }) => {
    const cleaned = storableText(given)
      .normalize('NFC')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being replaced
      .replace(/[/\\\x00-\x1f\x7f]+/g, '_')
      .trim();
    const name = cleaned === '' || /^\.+$/.test(cleaned) ? 'attachment' : shortened(cleaned);
    const dot = name.lastIndexOf('.');
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
    let unique = name;
    for (let number = 2; taken.has(unique); number++) unique = `${stem} (${number})${ending}`;
    taken.add(unique);
    return { name: unique, bytes };
  });
}

function shortened(name: string): string {
  const characters = Array.from(name);
  // The end says what it is.
  return characters.length <= maxNameCharacters ? name : characters.slice(-maxNameCharacters).join('');
}

/**
 * Brings the documents inside of a document up to date: each by itself, under the path of its parent and its name; those
 * that are not there any more are deleted. One that fails does not concern the others.
 *
 * @param metadata What was said of the parent from beside its file; it holds for its parts too.
 */
export async function ingestAttachments(
  attachments: readonly Attachment[],
  parent: Pick<DocumentRecord, 'id' | 'source' | 'uri'>,
  metadata: Metadata,
  context: DocumentContext,
  ingest: (work: WorkItem, context: DocumentContext) => Promise<DocumentOutcome>,
): Promise<void> {
  const { insideOf, store, stored } = context;
  const budget = insideOf?.budget ?? { left: maxPerFile };
  budget.left -= attachments.length;
  const inner: DocumentContext = {
    ...context,
    insideOf: { parentId: parent.id, depth: (insideOf?.depth ?? 0) + 1, budget },
    // A file that vanished elsewhere keeps its document until the run has seen everything.
    claimMoved: () => undefined,
  };
  const left = new Map(stored.of(parent.id).map((record) => [nameOf(record), record]));
  for (const { name, bytes } of attachments) {
    const startedAt = performance.now();
    const item: SourceItem = {
      ...placeOf(name, parent),
      bytes: bytes.byteLength,
      stamp: hash('sha256', bytes, 'hex'),
      read: async () => ({ bytes, metadata }),
    };
    const existing = left.get(name);
    left.delete(name);
    const outcome = await ingest(existing ? { item, existing } : { item }, inner);
    context.onAttachment(item.path, outcome, Math.round(performance.now() - startedAt));
  }
  const gone = [...left.values()].flatMap((record) => [record, ...stored.within(record.id)]);
  if (gone.length === 0) return;
  await store.deleteDocuments(gone.map(({ id }) => id));
  context.onAttachmentsGone(gone.map(({ source }) => source));
}

/** Leaves what is inside of a document as it is, under the path that the document has now. */
export async function keepAttachments(
  parent: Pick<DocumentRecord, 'id' | 'source' | 'uri'>,
  context: DocumentContext,
): Promise<void> {
  for (const record of context.stored.of(parent.id)) {
    const { path: source, uri } = placeOf(nameOf(record), parent);
    const isMoved = source !== record.source;
    if (isMoved) await context.store.updateDocument(record.id, { source, uri });
    const status = record.status === 'failed' ? 'failed' : isMoved ? 'moved' : 'unchanged';
    const from = isMoved ? { from: record.source } : {};
    const reason = status === 'failed' && record.statusReason ? { reason: record.statusReason } : {};
    context.onAttachment(source, { status, isNew: false, chunks: 0, ...from, ...reason }, 0);
    await keepAttachments({ id: record.id, source, uri }, context);
  }
}

function placeOf(name: string, parent: Pick<DocumentRecord, 'source' | 'uri'>) {
  const separator = parent.uri.includes('#') ? '/' : '#';
  return { path: `${parent.source}/${name}`, uri: `${parent.uri}${separator}${encodeURIComponent(name)}` };
}

function nameOf(record: DocumentRecord): string {
  return record.source.slice(record.source.lastIndexOf('/') + 1);
}
