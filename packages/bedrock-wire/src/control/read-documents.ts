import type { Metadata, MetadataValue } from '@aquifer/contracts';
import { base64Bytes, type Fields, refuseUnsupported } from '../request-fields.js';
import { invalidRequest } from '../wire-error.js';
import { formedText } from './checked-fields.js';

/** Which document of a data source: its own id, or an object. */
export type DocumentIdentifier =
  | { readonly dataSourceType: 'CUSTOM'; readonly custom: { readonly id: string } }
  | { readonly dataSourceType: 'S3'; readonly s3: { readonly uri: string } };

/** A document to be ingested. Metadata that is not here lies beside the object. */
export interface DocumentCall {
  readonly identifier: DocumentIdentifier;
  readonly content: DocumentBytes | { readonly type: 'object'; readonly uri: string };
  readonly metadata?: Metadata;
}

export type DocumentBytes =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly mediaType: string };

const maxBytes = 5_242_880;
const maxDocuments = 10;
const types = ['CUSTOM', 'S3'] as const;
const objectPattern = 's3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.{1,1024}';

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_IngestKnowledgeBaseDocuments.html */
export function readDocuments(fields: Fields): readonly DocumentCall[] {
  const documents = fields.objects('documents', { min: 1, max: maxDocuments }) ?? fields.missing('documents');
  return eachOnce(documents.map(readDocument), ({ identifier }) => identifier);
}

export function readIdentifiers(fields: Fields): readonly DocumentIdentifier[] {
  const found =
    fields.objects('documentIdentifiers', { min: 1, max: maxDocuments }) ?? fields.missing('documentIdentifiers');
  const identifiers = found.map((each): DocumentIdentifier => {
    const dataSourceType = each.choice('dataSourceType', types) ?? each.missing('dataSourceType');
    const identifier: DocumentIdentifier =
      dataSourceType === 'CUSTOM'
        ? { dataSourceType, custom: { id: customId(each.object('custom') ?? each.missing('custom')) } }
        : { dataSourceType, s3: { uri: objectUri(each.object('s3') ?? each.missing('s3')) } };
    each.refuseOthers();
    return identifier;
  });
  return eachOnce(identifiers, (identifier) => identifier);
}

function eachOnce<Item>(items: readonly Item[], identifierOf: (item: Item) => DocumentIdentifier): readonly Item[] {
  const seen = new Set<string>();
  for (const item of items) {
    const identifier = JSON.stringify(identifierOf(item));
    if (seen.has(identifier)) throw invalidRequest(`The document ${identifier} is in the request twice.`);
    seen.add(identifier);
  }
  return items;
}

function readDocument(fields: Fields): DocumentCall {
  const content = fields.object('content') ?? fields.missing('content');
  const metadata = readMetadata(fields.object('metadata'));
  fields.refuseOthers();
  const dataSourceType = content.choice('dataSourceType', types) ?? content.missing('dataSourceType');
  if (dataSourceType === 'S3') {
    const s3 = content.object('s3') ?? content.missing('s3');
    content.refuseOthers();
    const uri = objectUri(s3.object('s3Location') ?? s3.missing('s3Location'));
    s3.refuseOthers();
    return { identifier: { dataSourceType, s3: { uri } }, content: { type: 'object', uri }, ...metadata };
  }
  const custom = content.object('custom') ?? content.missing('custom');
  content.refuseOthers();
  const id = customId(custom.object('customDocumentIdentifier') ?? custom.missing('customDocumentIdentifier'));
  const sourceType = custom.choice('sourceType', ['IN_LINE', 'S3_LOCATION']) ?? custom.missing('sourceType');
  const identifier = { dataSourceType, custom: { id } };
  const read =
    sourceType === 'IN_LINE'
      ? readInline(custom.object('inlineContent') ?? custom.missing('inlineContent'))
      : ({ type: 'object', uri: objectUri(custom.object('s3Location') ?? custom.missing('s3Location')) } as const);
  custom.refuseOthers();
  return { identifier, content: read, ...metadata };
}

function readInline(fields: Fields): DocumentBytes {
  const type = fields.choice('type', ['TEXT', 'BYTE']) ?? fields.missing('type');
  if (type === 'TEXT') {
    const content = fields.object('textContent') ?? fields.missing('textContent');
    fields.refuseOthers();
    const text = content.requiredText('data', { min: 1, max: maxBytes });
    content.refuseOthers();
    return { type: 'text', text };
  }
  const content = fields.object('byteContent') ?? fields.missing('byteContent');
  fields.refuseOthers();
  const mediaType = content.requiredText('mimeType', { min: 1, max: 255 });
  if (!/[a-z]{1,20}\/./.test(mediaType)) throw invalidRequest(`${mediaType} is not a mimeType such as text/markdown.`);
  const bytes = base64Bytes(content.requiredText('data', { min: 1 }));
  content.refuseOthers();
  if (bytes === undefined) throw invalidRequest(`The field ${[...content.path, 'data'].join('.')} must be base64.`);
  if (bytes.byteLength > maxBytes) {
    throw invalidRequest(
      `The content of a document has ${bytes.byteLength} bytes: ${maxBytes} are the most that is taken.`,
    );
  }
  return { type: 'bytes', bytes, mediaType };
}

function customId(fields: Fields): string {
  const id = fields.requiredText('id', { min: 1, max: 2_048 });
  fields.refuseOthers();
  return id;
}

function objectUri(fields: Fields): string {
  const uri = formedText(fields, 'uri', objectPattern, { min: 1, max: 2_048 }) ?? fields.missing('uri');
  formedText(fields, 'bucketOwnerAccountId', '[0-9]{12}');
  fields.refuseOthers();
  return uri;
}

function readMetadata(fields: Fields | undefined): { readonly metadata?: Metadata } {
  if (fields === undefined) return {};
  refuseUnsupported(fields, { accessControlList: 'who may read what is decided by keys and their tenants.' });
  const type = fields.choice('type', ['IN_LINE_ATTRIBUTE', 'S3_LOCATION']) ?? fields.missing('type');
  if (type === 'S3_LOCATION') {
    throw invalidRequest(
      'metadata of the type S3_LOCATION is not supported: give IN_LINE_ATTRIBUTE, or put <object>.metadata.json beside the object.',
    );
  }
  const attributes = fields.objects('inlineAttributes', { min: 1, max: 50 }) ?? fields.missing('inlineAttributes');
  fields.refuseOthers();
  const metadata: Record<string, MetadataValue> = {};
  for (const attribute of attributes) {
    const key = attribute.requiredText('key', { min: 1, max: 200 });
    const value = attribute.object('value') ?? attribute.missing('value');
    attribute.refuseOthers();
    // Whatever it is called, it is an attribute of its own.
    Object.defineProperty(metadata, key, { value: readValue(value), enumerable: true, configurable: true });
  }
  return { metadata };
}

function readValue(fields: Fields): MetadataValue {
  const type = fields.choice('type', ['STRING', 'NUMBER', 'BOOLEAN', 'STRING_LIST']) ?? fields.missing('type');
  const read = {
    STRING: () => fields.text('stringValue', { min: 1, max: 2_048 }) ?? fields.missing('stringValue'),
    NUMBER: () => fields.number('numberValue') ?? fields.missing('numberValue'),
    BOOLEAN: () => fields.flag('booleanValue') ?? fields.missing('booleanValue'),
    STRING_LIST: () => fields.texts('stringListValue', { min: 1, max: 10 }) ?? fields.missing('stringListValue'),
  }[type]();
  fields.refuseOthers();
  return read;
}
