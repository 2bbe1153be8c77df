import { type DocumentIdentifier, invalidRequest } from '@aquifer/bedrock-wire';
import { type DocumentRecord, documentIdOf } from 'aquifer';
import type { HostedKnowledgeBase } from '../hosting/knowledge-base-host.js';
import { type DataSourceRecord, sourceIdOf } from './control-folder.js';

/** Attributes that Bedrock puts into the metadata of every document, for filters and for the place of a passage. */
export const attributesOf = (dataSourceId: string, uri: string) => ({
  'x-amz-bedrock-kb-data-source-id': dataSourceId,
  'x-amz-bedrock-kb-source-uri': uri,
});

/**
 * Where the document is in its source in the index. The paths of a source are a hierarchy, where a document covers what lies below it; ids of callers
 * are none, so their slashes are written as `%2F`.
 *
 * @throws ValidationException for an identifier that cannot be of this data source
 */
export function pathOf({ place, name }: DataSourceRecord, identifier: DocumentIdentifier): string {
  if (place.type !== identifier.dataSourceType) {
    throw invalidRequest(
      `The data source ${name} has the type ${place.type}, so that no document of the type ${identifier.dataSourceType} is in it.`,
    );
  }
  if (identifier.dataSourceType === 'CUSTOM') {
    return identifier.custom.id.normalize('NFC').replace(/[%/]/g, encodeURIComponent);
  }
  const { uri } = identifier.s3;
  const root = place.type === 'S3' ? s3RootOf(place) : { uri: '', prefix: '' };
  if (place.type === 'S3' && uri.startsWith(`s3://${place.bucket}/${place.prefix}`)) {
    return uri.slice(root.uri.length + 1).normalize('NFC');
  }
  throw invalidRequest(`${uri} is not in the bucket and prefix of the data source ${name}.`);
}

/** What identifies a document of the index to its caller. */
export function identifierOf({ place }: DataSourceRecord, { source, uri }: DocumentRecord): DocumentIdentifier {
  return place.type === 'S3'
    ? { dataSourceType: 'S3', s3: { uri } }
    : { dataSourceType: 'CUSTOM', custom: { id: source.replace(/%(25|2F)/g, decodeURIComponent) } };
}

/** The folder of keys that all those with a prefix are in. */
export function s3RootOf({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }) {
  const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')));
  return { uri: folder === '' ? `s3://${bucket}` : `s3://${bucket}/${folder}`, prefix };
}

const pageSize = 1_000;

/** Documents of a data source by their paths. */
export async function documentsAt(
  { reader }: Pick<HostedKnowledgeBase, 'reader'>,
  source: DataSourceRecord,
  paths: readonly string[],
): Promise<ReadonlyMap<string, DocumentRecord>> {
  const sourceId = sourceIdOf(source.dataSourceId);
  const found = new Map<string, DocumentRecord>();
  for (const path of paths) {
    const id = documentIdOf(sourceId, path, 0);
    // Nothing but that id lies between it and its beginning.
    const [document] = await reader.documents({ sourceId, after: id.slice(0, -1), limit: 1 });
    if (document?.source === path && document.parentId === undefined) found.set(path, document);
  }
  // A file that moved keeps the id of the path where it was. Documents that callers name themselves never move.
  if (source.place.type === 'CUSTOM' || found.size === paths.length) return found;
  const missing = new Set(paths.filter((path) => !found.has(path)));
  for (let after: string | undefined; missing.size > 0; ) {
    const page = await reader.documents({ sourceId, limit: pageSize, ...(after !== undefined && { after }) });
    for (const document of page) if (missing.delete(document.source)) found.set(document.source, document);
    if (page.length < pageSize) break;
    after = page.at(-1)?.id;
  }
  return found;
}
