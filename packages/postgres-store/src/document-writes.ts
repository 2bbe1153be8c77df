import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Analyser,
  AquiferError,
  type ChunkWrite,
  checkRecord,
  checkVector,
  type DocumentRecord,
  type DocumentWrite,
} from '@aquifer/contracts';
import { documentFromRow, recordText } from './document-rows.js';
import type { EmbeddingCache } from './embedding-cache.js';
import { type ChunkTerms, termsOfChunk } from './keyword-terms.js';
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
const chunksPerStatement = 200;
// A breath after this many characters (some 5 ms of analysis) keeps a server answering.
const charactersPerTurn = 40_000;

export function createDocumentWriter(parts: {
  readonly tenant: string;
  readonly knowledgeBase: string;
  readonly analyser: Analyser;
  readonly cache: EmbeddingCache;
}): DocumentWriter {
  const { tenant, knowledgeBase, analyser, cache } = parts;
  const own = [tenant, knowledgeBase];
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';

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
    await query(`DELETE FROM aquifer.postings WHERE ${ofOwn} AND chunk = ANY($3::bigint[])`, [...own, numbers]);
    await query(`DELETE FROM aquifer.chunks WHERE ${ofOwn} AND number = ANY($3::bigint[])`, [...own, numbers]);
  };

  const putDocument = async (query: Query, record: DocumentRecord): Promise<void> => {
    await query(
      `INSERT INTO aquifer.documents (tenant, knowledge_base, id, source_id, status, parent_id, record, attributes)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (tenant, knowledge_base, id) DO UPDATE SET source_id = excluded.source_id, status = excluded.status,
         parent_id = excluded.parent_id, record = excluded.record, attributes = excluded.attributes`,
      [
        ...own,
        record.id,
        record.sourceId,
        record.status,
        record.parentId ?? null,
        recordText(record),
        JSON.stringify(record.metadata),
      ],
    );
  };

  const updateChunks = async (
    query: Query,
    chunks: readonly ChunkWrite[],
    numbers: readonly unknown[],
  ): Promise<void> => {
    if (chunks.length === 0) return;
    await query(
      `UPDATE aquifer.chunks SET ordinal = n.ordinal, start_offset = n.start_offset, end_offset = n.end_offset,
         page_start = n.page_start, page_end = n.page_end, headings = n.headings, text = n.text, context = n.context,
         table_header = n.table_header, tokens = n.tokens
       FROM unnest(${chunkArrays}, $15::bigint[]) AS n (id, embedding_key, ordinal, start_offset, end_offset, page_start, page_end,
         headings, text, context, table_header, tokens, number)
       WHERE ${ofOwn} AND chunks.number = n.number AND chunks.number = ANY($15::bigint[])`,
      [...own, ...chunkParameters(chunks), numbers],
    );
  };

  const insertChunks = async (query: Query, chunks: readonly ChunkWrite[], terms: readonly ChunkTerms[]) => {
    const rows = await query(
      `INSERT INTO aquifer.chunks (tenant, knowledge_base, id, document_id, embedding_key, ordinal, start_offset, end_offset,
         page_start, page_end, headings, text, context, table_header, tokens, terms)
       SELECT $1, $2, n.id, $15, n.embedding_key, n.ordinal, n.start_offset, n.end_offset, n.page_start, n.page_end, n.headings,
         n.text, n.context, n.table_header, n.tokens, n.terms
       FROM unnest(${chunkArrays}, $16::int[]) AS n (id, embedding_key, ordinal, start_offset, end_offset, page_start, page_end,
         headings, text, context, table_header, tokens, terms)
       ON CONFLICT (tenant, knowledge_base, id) DO NOTHING RETURNING id, number`,
      [...own, ...chunkParameters(chunks), chunks[0]?.documentId, terms.map(({ length }) => length)],
    );
    const numbers = new Map(rows.map((row) => [row.id as string, row.number as string]));
    const taken = chunks.find(({ id }) => !numbers.has(id));
    if (taken !== undefined) {
      throw new AquiferError(
        'invalid-document',
        `Chunk ${JSON.stringify(taken.id)} belongs to another document already; chunk ids are unique in an index.`,
      );
    }
    const postings = chunks.flatMap(({ id }, index) =>
      (terms[index] as ChunkTerms).postings.map((posting) => ({ ...posting, chunk: numbers.get(id), index })),
    );
    await query(
      `INSERT INTO aquifer.postings (tenant, knowledge_base, term, chunk, frequency, chunk_terms, positions)
       SELECT $1, $2, n.term, n.chunk, n.frequency, n.chunk_terms, n.positions::int[]
       FROM unnest($3::text[], $4::bigint[], $5::int[], $6::int[], $7::text[]) AS n (term, chunk, frequency, chunk_terms, positions)`,
      [
        ...own,
        postings.map(({ term }) => term),
        postings.map(({ chunk }) => chunk),
        postings.map(({ frequency }) => frequency),
        postings.map(({ index }) => terms[index]?.length),
        postings.map(({ positions }) => `{${positions.join(',')}}`),
      ],
    );
  };

  const addChunks = async (query: Query, chunks: readonly ChunkWrite[]): Promise<number> => {
    let length = 0;
    for (let from = 0; from < chunks.length; from += chunksPerStatement) {
      const batch = chunks.slice(from, from + chunksPerStatement);
      const terms: ChunkTerms[] = [];
      let characters = 0;
      for (const chunk of batch) {
        terms.push(termsOfChunk(chunk, analyser));
        characters += chunk.text.length + chunk.context.length;
        if (characters <= charactersPerTurn) continue;
        characters = 0;
        await nextTurn();
      }
      await insertChunks(query, batch, terms);
      length += terms.reduce((sum, each) => sum + each.length, 0);
    }
    return length;
  };

  const assertVectors = async (query: Query, chunks: readonly ChunkWrite[]): Promise<void> => {
    if (chunks.length === 0) return;
    const keys = [...new Set(chunks.map(({ embeddingKey }) => embeddingKey))];
    const rows = await query(`SELECT key FROM aquifer.embeddings WHERE ${ofOwn} AND key = ANY($3::text[])`, [
      ...own,
      keys,
    ]);
    const known = new Set(rows.map((row) => row.key));
    const chunk = chunks.find(({ embeddingKey }) => !known.has(embeddingKey));
    if (chunk === undefined) return;
    throw new AquiferError(
      'invalid-vector',
      `Chunk ${JSON.stringify(chunk.id)} has no vector, and none is cached under its embedding key.`,
    );
  };

  return {
    async replace(query, { document, text, pages, blocks, chunks }) {
      checkIdBytes(document.id, chunks);
      const [base] = await query(`SELECT dimensions FROM aquifer.knowledge_bases WHERE ${ofOwn}`, own);
      if (base === undefined) {
        throw new AquiferError('invalid-options', 'The index has no manifest yet: write it before any document.');
      }
      const given = chunks.flatMap(({ id, embeddingKey, vector }) => {
        if (vector === undefined) return [];
        checkVector(vector, base.dimensions as number, `chunk ${JSON.stringify(id)}`);
        return [{ key: embeddingKey, vector }];
      });
      // First the document's own row, which keeps others from writing the same document until the commit.
      await putDocument(query, document);
      await query(
        `INSERT INTO aquifer.contents (tenant, knowledge_base, document_id, text, pages, blocks) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant, knowledge_base, document_id) DO UPDATE SET text = excluded.text, pages = excluded.pages,
           blocks = excluded.blocks`,
        [...own, document.id, text, JSON.stringify(pages), JSON.stringify(blocks)],
      );
      await cache.add(query, given);
      const rows = await query(
        `SELECT id, number, embedding_key, terms, tokens FROM aquifer.chunks WHERE ${ofOwn} AND document_id = $3`,
        [...own, document.id],
      );
      const old = new Map(rows.map((row) => [row.id as string, row]));
      const kept = chunks.filter(({ id, embeddingKey }) => old.get(id)?.embedding_key === embeddingKey);
      const keptIds = new Set(kept.map(({ id }) => id));
      const added = chunks.filter(({ id }) => !keptIds.has(id));
      const removed = rows.filter((row) => !keptIds.has(row.id as string));
      await removeChunks(
        query,
        removed.map((row) => row.number),
      );
      await assertVectors(query, added);
      await updateChunks(
        query,
        kept,
        kept.map(({ id }) => old.get(id)?.number),
      );
      const addedTerms = await addChunks(query, added);
      const tokens = chunks.reduce((sum, chunk) => sum + chunk.tokens, 0) - sumOf(rows, 'tokens');
      await countCommit(query, chunks.length - rows.length, addedTerms - sumOf(removed, 'terms'), tokens);
    },

    async update(query, id, changes) {
      const [row] = await query(`SELECT record FROM aquifer.documents WHERE ${ofOwn} AND id = $3 FOR UPDATE`, [
        ...own,
        id,
      ]);
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

const sumOf = (rows: readonly Row[], column: string): number =>
  rows.reduce((sum, row) => sum + (row[column] as number), 0);

/** Placeholders of {@link chunkParameters}, which come third. */
const chunkArrays =
  '$3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::text[], $11::text[], $12::text[], ' +
  '$13::text[], $14::int[]';

const chunkParameters = (chunks: readonly ChunkWrite[]): unknown[] => [
  chunks.map(({ id }) => id),
  chunks.map(({ embeddingKey }) => embeddingKey),
  chunks.map(({ ordinal }) => ordinal),
  chunks.map(({ start }) => start),
  chunks.map(({ end }) => end),
  chunks.map(({ pageStart }) => pageStart ?? null),
  chunks.map(({ pageEnd }) => pageEnd ?? null),
  chunks.map(({ headings }) => JSON.stringify(headings)),
  chunks.map(({ text }) => text),
  chunks.map(({ context }) => context),
  chunks.map(({ tableHeader }) => tableHeader),
  chunks.map(({ tokens }) => tokens),
];

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
