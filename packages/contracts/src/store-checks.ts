import { type DocumentRecord, documentStatuses } from './document.js';
import { AquiferError } from './errors.js';
import { parseFilter } from './filter.js';
import { parseMetadata } from './metadata.js';
import { type DocumentWrite, maxSearchLimit, type SearchScope } from './store.js';

const refuseDocument = (message: string): never => {
  throw new AquiferError('invalid-document', message);
};

const texts = ['id', 'sourceId', 'source', 'uri', 'mediaType', 'title', 'stamp', 'contentHash'] as const;
const counts = ['bytes', 'chunkCount', 'tokenCount', 'indexedAt'] as const;

/** @throws `invalid-document` for a record that the store could not give back as it is. */
export function checkRecord(record: DocumentRecord): void {
  const what = `Document ${JSON.stringify(record.id)}`;
  if (record.id === '') refuseDocument('A document id must not be empty.');
  for (const key of texts) checkText(record[key], `${what}: ${key}`);
  for (const key of counts) checkCount(record[key], `${what}: ${key}`);
  if (record.statusReason !== undefined) checkText(record.statusReason, `${what}: statusReason`);
  if (record.parentId !== undefined) checkText(record.parentId, `${what}: parentId`);
  if (record.pageCount !== undefined) checkCount(record.pageCount, `${what}: pageCount`);
  if (!documentStatuses.includes(record.status)) {
    refuseDocument(`${what}: status must be one of ${documentStatuses.join(', ')}.`);
  }
  for (const [key, value] of Object.entries(parseMetadata(record.metadata, what))) {
    checkText(key, `${what}: an attribute's name`);
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'string') checkText(item, `${what}: attribute ${JSON.stringify(key)}`);
    }
  }
}

/** @throws `invalid-document` for anything that is not what the contract says, before anything is written. */
export function checkWrite(write: DocumentWrite): void {
  const { document, text, chunks } = write;
  checkRecord(document);
  const what = `Document ${JSON.stringify(document.id)}`;
  checkText(text, `${what}: its text`);
  if (!Array.isArray(write.pages) || !Array.isArray(write.blocks) || !Array.isArray(chunks)) {
    refuseDocument(`${what}: pages, blocks and chunks must be lists.`);
  }
  const ids = new Set<string>();
  for (const chunk of chunks) {
    const chunkWhat = `${what}: chunk ${JSON.stringify(chunk.id)}`;
    for (const key of ['id', 'context', 'tableHeader', 'embeddingKey'] as const) {
      checkText(chunk[key], `${chunkWhat}: ${key}`);
    }
    for (const heading of chunk.headings) checkText(heading, `${chunkWhat}: a heading`);
    for (const key of ['ordinal', 'start', 'end', 'tokens'] as const) checkCount(chunk[key], `${chunkWhat}: ${key}`);
    for (const key of ['pageStart', 'pageEnd'] as const) {
      if (chunk[key] !== undefined) checkCount(chunk[key], `${chunkWhat}: ${key}`);
    }
    if (chunk.id === '' || ids.has(chunk.id)) refuseDocument(`${chunkWhat} is there twice, or its id is empty.`);
    ids.add(chunk.id);
    if (chunk.documentId !== document.id) {
      refuseDocument(`${chunkWhat} says that it belongs to document ${JSON.stringify(chunk.documentId)}.`);
    }
    if (chunk.start > chunk.end || chunk.end > text.length || chunk.text !== text.slice(chunk.start, chunk.end)) {
      refuseDocument(`${chunkWhat}: its text is not the slice ${chunk.start}–${chunk.end} of the document's text.`);
    }
  }
}

function checkText(value: unknown, what: string): void {
  if (typeof value !== 'string') refuseDocument(`${what} must be a string.`);
  if (!isStorable(value as string)) {
    refuseDocument(`${what} holds a NUL or half of a surrogate pair, which no database keeps. Remove it first.`);
  }
}

function checkCount(value: unknown, what: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    refuseDocument(`${what} must be a whole number, 0 or more.`);
  }
}

/** @throws `invalid-options` */
export function checkTexts(values: unknown, what: string): void {
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw new AquiferError('invalid-options', `${what} must be a list of strings.`);
  }
}

/** @throws `invalid-options` */
export function checkWholeNumber(value: unknown, what: string, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw new AquiferError('invalid-options', `${what} must be a whole number from ${least} to ${most}.`);
  }
}

/** @throws `invalid-options`, `invalid-filter` */
export function checkScope(scope: SearchScope): void {
  checkWholeNumber(scope.limit, 'limit', 1, maxSearchLimit);
  if (scope.documentIds !== undefined) checkTexts(scope.documentIds, 'documentIds');
  if (scope.filter === undefined) return;
  const filter = parseFilter(scope.filter);
  // The grammar is JSON, so a walk over it as JSON meets every key and value.
  JSON.stringify(filter, (_, value: unknown) => {
    if (typeof value === 'string' && !isStorable(value)) {
      throw new AquiferError(
        'invalid-filter',
        'The filter holds a NUL or half of a surrogate pair, which no stored attribute has.',
      );
    }
    return value;
  });
}

/** Whether a database can hold the string as it is: no lone surrogate, no NUL. */
export function isStorable(text: string): boolean {
  // ES2024, in every Node that this runs on: it looks at a machine word at a time.
  return (text as string & { isWellFormed(): boolean }).isWellFormed() && !text.includes('\0');
}

/** @throws `invalid-vector`: wrong dimension, NaN or infinity, all zero. */
export function checkVector(vector: unknown, dimensions: number | undefined, what: string): void {
  if (!(vector instanceof Float32Array)) {
    throw new AquiferError('invalid-vector', `The vector of ${what} must be a Float32Array.`);
  }
  if (dimensions !== undefined && vector.length !== dimensions) {
    throw new AquiferError(
      'invalid-vector',
      `The vector of ${what} has ${vector.length} dimensions, but the index has ${dimensions}.`,
    );
  }
  let sumOfSquares = 0;
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    sumOfSquares += value * value;
  }
  // Adding catches NaN and infinity without a branch for each number.
  if (!Number.isFinite(sumOfSquares)) {
    throw new AquiferError('invalid-vector', `The vector of ${what} holds NaN or infinity.`);
  }
  if (sumOfSquares === 0) throw new AquiferError('invalid-vector', `The vector of ${what} is all zero.`);
}
