import { AquiferError } from '@aquifer/contracts';
import type { KnowledgeBase, Metadata, Source, SourceItem } from 'aquifer';
import { type DataSourceRecord, sourceIdOf } from './control-folder.js';
import { attributesOf, s3RootOf } from './document-places.js';

/**
 * The documents that a data source of S3 has, as a source of its knowledge base.
 *
 * @param paths Only these. Default: all.
 */
export async function bucketDocuments(
  opened: Pick<KnowledgeBase, 'sourceOf'>,
  record: DataSourceRecord,
  { paths, metadata }: { readonly paths?: readonly string[]; readonly metadata?: Metadata | undefined } = {},
): Promise<Source> {
  const { place, dataSourceId, name } = record;
  if (place.type !== 'S3') throw new Error(`The data source ${dataSourceId} has no bucket.`);
  const root = s3RootOf(place);
  const listed = await opened.sourceOf({ folder: root.uri, ...(paths && { paths }) });
  const start = `s3://${place.bucket}/${place.prefix}`;
  return {
    id: sourceIdOf(dataSourceId),
    description: name,
    scope: listed.scope,
    async *list(signal) {
      for await (const item of listed.list(signal)) {
        const uri = 'omitted' in item ? `${root.uri}/${item.path}` : item.uri;
        // The prefixes of Bedrock end in the middle of a name.
        if (!uri.startsWith(start)) continue;
        yield 'omitted' in item ? item : withAttributes(item, { ...metadata, ...attributesOf(dataSourceId, uri) });
      }
    },
  };
}

/**
 * An object of any bucket as the document of a caller's own id.
 *
 * @throws `source-not-found` where there is none, `unsupported-format` where no reader takes it
 */
export async function objectAsDocument(
  opened: Pick<KnowledgeBase, 'sourceOf'>,
  uri: string,
  { path, metadata }: { readonly path: string; readonly metadata: Metadata },
): Promise<SourceItem> {
  const [, folder = '', key = ''] = /^(s3:\/\/[^/]+)\/(.*)$/s.exec(uri) ?? [];
  const listed = await opened.sourceOf({ folder, paths: [key] });
  for await (const item of listed.list()) {
    if ('omitted' in item) {
      if (item.path === key) throw new AquiferError('unsupported-format', `${uri} is not read: ${item.reason}.`);
    } else if (item.uri === uri) return withAttributes({ ...item, path }, metadata);
  }
  throw new AquiferError('source-not-found', `There is no object ${uri}.`);
}

/** What is said here wins over what lies beside the object. */
function withAttributes(item: SourceItem, attributes: Metadata): SourceItem {
  return {
    ...item,
    async read(signal) {
      const content = await item.read(signal);
      return { ...content, metadata: { ...content.metadata, ...attributes } };
    },
  };
}
