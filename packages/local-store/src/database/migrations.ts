/**
 * The schema, as numbered steps: entry 0 makes version 1. Steps are never edited once released; a change is a new step.
 *
 * - `embeddings` is both the truth for vectors and the embedding cache: chunks point into it, and an entry that no chunk
 *   points to is cache alone.
 * - `chunks.number` and `documents.number` are never used twice (AUTOINCREMENT), and a chunk's vector never changes, so
 *   that what derives from them (the graph) finds what it misses by comparing numbers.
 * - `keywords` holds the analyser's terms, joined by spaces, a row for each chunk under the chunk's number. All ASCII
 *   punctuation belongs to tokens, so that FTS5 does not cut our terms again: see `keyword-terms.ts`.
 * - `counters.identity` is drawn once, so that a graph file of another index is known as such.
 * - `metadata` has one row for each attribute and one for each string of a list: see `filter-sql.ts`.
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE manifest (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  json TEXT NOT NULL
) STRICT;

CREATE TABLE counters (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  generation INTEGER NOT NULL,
  removed_chunks INTEGER NOT NULL,
  identity TEXT NOT NULL
) STRICT;
INSERT INTO counters (only, generation, removed_chunks, identity) VALUES (1, 0, 0, lower(hex(randomblob(16))));

CREATE TABLE stored_values (
  key TEXT PRIMARY KEY,
  json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  source_id TEXT NOT NULL,
  source TEXT NOT NULL,
  uri TEXT NOT NULL,
  media_type TEXT NOT NULL,
  title TEXT NOT NULL,
  stamp TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT,
  page_count INTEGER,
  chunk_count INTEGER NOT NULL,
  token_count INTEGER NOT NULL,
  indexed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX documents_by_source ON documents (source_id, id);
CREATE INDEX documents_by_status ON documents (status, id);

CREATE TABLE contents (
  document INTEGER PRIMARY KEY REFERENCES documents (number) ON DELETE CASCADE,
  text TEXT NOT NULL,
  pages TEXT NOT NULL,
  blocks TEXT NOT NULL
) STRICT;

CREATE TABLE metadata (
  document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  type INTEGER NOT NULL,
  text TEXT NOT NULL,
  number REAL
) STRICT;
CREATE INDEX metadata_by_document ON metadata (document);
CREATE INDEX metadata_by_text ON metadata (key, type, text, document);
CREATE INDEX metadata_by_number ON metadata (key, type, number, document) WHERE number IS NOT NULL;

CREATE TABLE embeddings (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  vector BLOB NOT NULL
) STRICT;

CREATE TABLE chunks (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  document INTEGER NOT NULL REFERENCES documents (number),
  embedding INTEGER NOT NULL REFERENCES embeddings (number),
  ordinal INTEGER NOT NULL,
  "start" INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  page_start INTEGER,
  page_end INTEGER,
  headings TEXT NOT NULL,
  context TEXT NOT NULL,
  table_header TEXT NOT NULL,
  tokens INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_by_document ON chunks (document, ordinal);
CREATE INDEX chunks_by_embedding ON chunks (embedding, document);

CREATE VIRTUAL TABLE keywords USING fts5 (
  context,
  body,
  tokenize = "ascii tokenchars '!#$%&''()*+,-./:;<=>?@[\\]^_\`{|}~\x7f'"
);
CREATE VIRTUAL TABLE keyword_counts USING fts5vocab (keywords, row);
`,
  // Documents that came inside of others, such as attachments.
  `
ALTER TABLE documents ADD COLUMN parent_id TEXT;
CREATE INDEX documents_by_parent ON documents (parent_id) WHERE parent_id IS NOT NULL;
`,
  // What a disk may change without SQLite noticing: see `checksums.ts`. NULL in rows that were written before.
  `
ALTER TABLE contents ADD COLUMN text_checksum INTEGER;
ALTER TABLE contents ADD COLUMN structure_checksum INTEGER;
ALTER TABLE embeddings ADD COLUMN checksum INTEGER;
`,
  // A third column of `keywords` makes terms of the context count three times in the length: see `keyword-terms.ts`.
  `
DROP TABLE keyword_counts;
ALTER TABLE keywords RENAME TO earlier_keywords;
CREATE VIRTUAL TABLE keywords USING fts5 (
  context,
  body,
  padding,
  tokenize = "ascii tokenchars '!#$%&''()*+,-./:;<=>?@[\\]^_\`{|}~\x7f'"
);
INSERT INTO keywords (rowid, context, body, padding)
  SELECT rowid, context, body, CASE context WHEN '' THEN '' ELSE
    replace(hex(zeroblob(1 + length(context) - length(replace(context, ' ', '')))), '00', char(127) || ' ' || char(127) || ' ')
  END FROM earlier_keywords;
DROP TABLE earlier_keywords;
CREATE VIRTUAL TABLE keyword_counts USING fts5vocab (keywords, row);
`,
  // The rest of long texts: see `text-parts.ts`.
  `
CREATE TABLE text_parts (
  document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (document, part)
) STRICT;
`,
];
