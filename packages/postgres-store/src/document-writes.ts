import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Analyser,
  AquiferError,
  type ChunkWrite,
  checkRecord,
  checkVector,
  type DocumentRecord,
  type DocumentWrite,
  isStorable,
} from '@aquifer/contracts';
import { type AddedChunk, addedNames, createChunkRows, type KeptChunk } from './chunk-rows.js';
import { collision } from './database-errors.js';
import { documentFromRow, recordText } from './document-rows.js';
import type { EmbedderFence } from './embedder-fence.js';
import { type EmbeddingCache, knownKeys } from './embedding-cache.js';
import { termsOfChunk } from './keyword-terms.js';
import type { PostgresLocation } from './postgres-location.js';
import type { Query, Row } from './transactions.js';

/** Changes documents; each method is the statements of one transaction that the caller has begun. */
export interface DocumentWriter {
  replace(query: Query, write: DocumentWrite): Promise<void>;
  update(query: Query, id: string, changes: Partial<Omit<DocumentRecord, 'id'>>): Promise<void>;
  remove(query: Query, ids: readonly string[]): Promise<number>;
}

// Keys of PostgreSQL's indexes have at most 2,704 bytes, of which names of tenant and knowledge base may take 800.
const maxIdBytes = 1_500;
/** Bounds the memory of one statement: some 100 postings a chunk. */
const chunksPerStatement = 1_000;
// A breath after this many characters (some 5 ms of analysis) keeps a server answering.
const charactersPerTurn = 40_000;

export function createDocumentWriter(parts: {
  readonly location: PostgresLocation;
  readonly analyser: Analyser;
  readonly cache: EmbeddingCache;
  readonly fence: EmbedderFence;
}): DocumentWriter {
  const { location, analyser, cache, fence } = parts;
  const { tenant, knowledgeBase, mayCopy } = location;
  const own = [tenant, knowledgeBase];
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  const { added: withAdded, kept: withKept, postings: withPostings } = createChunkRows(mayCopy);

  // The last statement of each transaction: others that write the same knowledge base wait from here to the commit only.
  const countCommit = async (query: Query, chunks: number, terms: number, tokens: number): Promise<void> => {
    await query(
      `UPDATE aquifer.knowledge_bases SET generation = generation + 1, chunks = chunks + $3, terms = terms + $4, tokens = tokens + $5
       WHERE ${ofOwn}`,
      [...own, chunks, terms, tokens],
    );
  };

  const removeChunks = async (query: Query, numbers: readonly unknown[]): Promise<void> => {
    if (numbers.length === 0) return;
    await Promise.all([
      query(`DELETE FROM aquifer.postings WHERE ${ofOwn} AND chunk = ANY($3::bigint[])`, [...own, numbers]),
      query(`DELETE FROM aquifer.chunks WHERE ${ofOwn} AND number = ANY($3::bigint[])`, [...own, numbers]),
    ]);
  };

  // Neither here nor below "ON CONFLICT … DO UPDATE", nor a conflict of one key: partitions that are tables of other servers take neither. Both
  // statements are sent at once, and one of them does nothing.
  const putDocument = async (query: Query, record: DocumentRecord): Promise<void> => {
    const { id, sourceId, status, parentId = null, metadata } = record;
    const values = [...own, id, sourceId, status, parentId, recordText(record), JSON.stringify(metadata)];
    const written = await Promise.all([
      query(
        `UPDATE aquifer.documents SET source_id = $4, status = $5, parent_id = $6, record = $7, attributes = $8
         WHERE ${ofOwn} AND id = $3 RETURNING id`,
        values,
      ),
      query(
        `INSERT INTO aquifer.documents (tenant, knowledge_base, id, source_id, status, parent_id, record, attributes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id`,
        values,
      ),
    ]);
    // Somebody else inserted it in between.
    if (written.flat().length === 0) throw collision(`document ${JSON.stringify(id)}`);
  };

  const updateChunks = async (query: Query, chunks: readonly KeptChunk[]): Promise<void> => {
    if (chunks.length === 0) return;
    await withKept(query, chunks, 3, ({ from, values }) =>
      query(
        `UPDATE aquifer.chunks SET ordinal = n.ordinal, start_offset = n.start_offset, end_offset = n.end_offset,
           page_start = n.page_start, page_end = n.page_end, headings = n.headings, text = n.text, context = n.context,
           table_header = n.table_header, tokens = n.tokens
         FROM ${from} WHERE ${ofOwn} AND chunks.number = n.number`,
        [...own, ...values],
      ),
    );
  };

  const insertChunks = async (query: Query, chunks: readonly AddedChunk[]): Promise<void> => {
    const inserted = await withAdded(query, chunks, 4, ({ from, values }) =>
      query(
        `INSERT INTO aquifer.chunks (tenant, knowledge_base, document_id, ${addedNames})
         SELECT $1, $2, $3, ${addedNames} FROM ${from}
         ON CONFLICT DO NOTHING RETURNING id, number`,
        [...own, chunks[0]?.chunk.documentId, ...values],
      ),
    );
    const numbers = new Map(inserted.map((row) => [row.id as string, BigInt(row.number as string)]));
    const taken = chunks.find(({ chunk }) => !numbers.has(chunk.id));
    if (taken !== undefined) {
      throw new AquiferError(
        'invalid-document',
        `Chunk ${JSON.stringify(taken.chunk.id)} belongs to another document already; chunk ids are unique in an index.`,
      );
    }
    await withPostings(
      query,
      chunks.flatMap(({ chunk, terms }) => {
        const number = numbers.get(chunk.id) as bigint;
        return terms.postings.map((posting) => ({ posting, chunk: number, chunkTerms: terms.length }));
      }),
      3,
      ({ from, values }) =>
        query(
          // In the order of the index, so that neighbours in it are written one after the other.
          `INSERT INTO aquifer.postings (tenant, knowledge_base, term, chunk, frequency, chunk_terms, positions)
           SELECT $1, $2, n.term, n.chunk, n.frequency, n.chunk_terms, n.positions::int[] FROM ${from} ORDER BY n.term COLLATE "C", n.chunk`,
          [...own, ...values],
        ),
    );
  };

  const addChunks = async (query: Query, chunks: readonly ChunkWrite[]): Promise<number> => {
    let length = 0;
    for (let from = 0; from < chunks.length; from += chunksPerStatement) {
      const batch: AddedChunk[] = [];
      let characters = 0;
      for (const chunk of chunks.slice(from, from + chunksPerStatement)) {
        const terms = termsOfChunk(chunk, analyser);
        batch.push({ chunk, terms });
        length += terms.length;
        characters += chunk.text.length + chunk.context.length;
        if (characters <= charactersPerTurn) continue;
        characters = 0;
        await nextTurn();
      }
      await insertChunks(query, batch);
    }
    return length;
  };

  // Unused vectors are pruned under the same lock that countCommit takes: what is there after it stays.
  const assertVectors = async (query: Query, chunks: readonly ChunkWrite[]): Promise<void> => {
    if (chunks.length === 0) return;
    const keys = [...new Set(chunks.map(({ embeddingKey }) => embeddingKey))];
    const known = new Set(await knownKeys(query, own, keys));
    const chunk = chunks.find(({ embeddingKey }) => !known.has(embeddingKey));
    if (chunk === undefined) return;
    if (chunk.vector !== undefined) {
      throw Object.assign(new Error('a cached vector was pruned meanwhile'), { code: serializationFailure });
    }
    throw new AquiferError(
      'invalid-vector',
      `Chunk ${JSON.stringify(chunk.id)} has no vector, and none is cached under its embedding key.`,
    );
  };

  return {
    async replace(query, { document, text, pages, blocks, chunks }) {
      checkIdBytes(document.id, chunks);
      const keptBefore = `SELECT id, number, embedding_key, terms, tokens FROM aquifer.chunks WHERE ${ofOwn} AND document_id = $3`;
      const [[base], , , , rows] = await Promise.all([
        query(`SELECT dimensions FROM aquifer.knowledge_bases WHERE ${ofOwn}`, own),
        // First of all writes the document's own row, which keeps others from writing the same document until the commit.
        putDocument(query, document),
        query(`DELETE FROM aquifer.contents WHERE ${ofOwn} AND document_id = $3`, [...own, document.id]),
        query(
          'INSERT INTO aquifer.contents (tenant, knowledge_base, document_id, text, pages, blocks) VALUES ($1, $2, $3, $4, $5, $6)',
          [...own, document.id, text, JSON.stringify(pages), JSON.stringify(blocks)],
        ),
        query(keptBefore, [...own, document.id]),
      ]);
      if (base === undefined) {
        throw new AquiferError('invalid-options', 'The index has no manifest yet: write it before any document.');
      }
      const given = chunks.flatMap(({ id, embeddingKey, vector }) => {
        if (vector === undefined) return [];
        checkVector(vector, base.dimensions as number, `chunk ${JSON.stringify(id)}`);
        return [{ key: embeddingKey, vector }];
      });
      const old = new Map(rows.map((row) => [row.id as string, row]));
      const kept = chunks.flatMap((chunk): KeptChunk[] => {
        const row = old.get(chunk.id);
        return row?.embedding_key === chunk.embeddingKey ? [{ chunk, number: row.number as string }] : [];
      });
      const keptIds = new Set(kept.map(({ chunk }) => chunk.id));
      const added = chunks.filter(({ id }) => !keptIds.has(id));
      const removed = rows.filter((row) => !keptIds.has(row.id as string));
      await removeChunks(
        query,
        removed.map((row) => row.number),
      );
      await cache.add(query, given);
      await updateChunks(query, kept);
      const addedTerms = await addChunks(query, added);
      const tokens = chunks.reduce((sum, chunk) => sum + chunk.tokens, 0) - sumOf(rows, 'tokens');
      await Promise.all([
        countCommit(query, chunks.length - rows.length, addedTerms - sumOf(removed, 'terms'), tokens),
        assertVectors(query, added),
        // Once more, with the row locked: of those who come past a server of partitions, the lock of writers holds nobody.
        fence.assert(query),
      ]);
    },

    async update(query, id, changes) {
      const [row] = isStorable(id)
        ? await query(`SELECT record FROM aquifer.documents WHERE ${ofOwn} AND id = $3 FOR UPDATE`, [...own, id])
        : [];
      if (row === undefined) {
        throw new AquiferError('document-not-found', `There is no document ${JSON.stringify(id)} in the index.`);
      }
      const record = { ...documentFromRow(row), ...changes, id };
      checkRecord(record);
      await putDocument(query, record);
      await countCommit(query, 0, 0, 0);
    },

    async remove(query, ids) {
      // Documents inside of documents, at any depth.
      const tree = new Set(ids);
      for (let parents = [...tree]; parents.length > 0; ) {
        const children = await query(
          `SELECT id FROM aquifer.documents WHERE ${ofOwn} AND parent_id = ANY($3::text[])`,
          [...own, parents],
        );
        parents = children.map((row) => row.id as string).filter((id) => !tree.has(id));
        for (const id of parents) tree.add(id);
      }
      // In one order everywhere, so that two that delete the same wait for each other, never both.
      const documents = await query(
        `SELECT id FROM aquifer.documents WHERE ${ofOwn} AND id = ANY($3::text[]) ORDER BY id FOR UPDATE`,
        [...own, [...tree]],
      );
      if (documents.length === 0) return 0;
      const all = documents.map((row) => row.id);
      const chunks = await query(
        `SELECT number, terms, tokens FROM aquifer.chunks WHERE ${ofOwn} AND document_id = ANY($3::text[])`,
        [...own, all],
      );
      await removeChunks(
        query,
        chunks.map((row) => row.number),
      );
      await query(`DELETE FROM aquifer.contents WHERE ${ofOwn} AND document_id = ANY($3::text[])`, [...own, all]);
      await query(`DELETE FROM aquifer.documents WHERE ${ofOwn} AND id = ANY($3::text[])`, [...own, all]);
      await countCommit(query, -chunks.length, -sumOf(chunks, 'terms'), -sumOf(chunks, 'tokens'));
      return documents.length;
    },
  };
}

/** Of PostgreSQL: the transaction is begun again. */
const serializationFailure = '40001';

const sumOf = (rows: readonly Row[], column: string): number =>
  rows.reduce((sum, row) => sum + (row[column] as number), 0);

function checkIdBytes(documentId: string, chunks: readonly ChunkWrite[]): void {
  for (const id of [documentId, ...chunks.flatMap((chunk) => [chunk.id, chunk.embeddingKey])]) {
    if (Buffer.byteLength(id) > maxIdBytes) {
      throw new AquiferError(
        'invalid-document',
        `Document ${JSON.stringify(documentId.slice(0, 80))}: an id of it is longer than ${maxIdBytes} bytes, the most that a shared index keeps.`,
      );
    }
  }
}
