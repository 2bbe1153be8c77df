import { randomUUID } from 'node:crypto';
import { type Analyser, AquiferError, type Manifest, type Store } from '@aquifer/contracts';
import pg from 'pg';
import { isMadeAlike, lockWriting, replacedMeanwhile } from './embedder-fence.js';
import { openStoreAt } from './open-postgres-store.js';
import { nextName, type PostgresLocation, parsePostgresLocation } from './postgres-location.js';
import { removeRows } from './remove-rows.js';
import { createTransactions, type Query } from './transactions.js';
import { createVectorGraph } from './vector-graph.js';

/** An index that is built beside the one at a location, to take its place. */
export interface PostgresReEmbedding {
  /** Where it is built; nobody else finds it. What an earlier run with the same embedder and chunker left is there already. */
  readonly next: Store;
  /**
   * Fills it, and again with what others have written meanwhile, and puts it in the place of the old one in one transaction, for which those who
   * write wait at last. Who has the old one open is told so by his next search or write (`embedder-mismatch`, retryable).
   *
   * @throws `embedder-mismatch` where another run was faster; `index-not-found`, `index-read-only`
   */
  exchange(fill: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Passes beside those who write, until nobody has written during one; what is left then is filled in while they wait. */
const passesBesideWriters = 3;
const filledTables = ['stored_values', 'documents', 'contents', 'embeddings', 'chunks', 'postings'];
const ofOne = 'tenant = $1 AND knowledge_base = $2';

/**
 * @param manifest What the index has been until now.
 * @param nextManifest What it is to become.
 * @throws as `openPostgresStore`
 * @example
 * const { next, exchange, close } = await beginPostgresReEmbedding({ location, analyser, manifest, nextManifest });
 * await exchange(() => reEmbed({ from, to: next, chunker, embedder, fromChunker: manifest.chunker }));
 * await close();
 */
export async function beginPostgresReEmbedding(options: {
  readonly location: string;
  readonly analyser: Analyser;
  readonly manifest: Manifest;
  readonly nextManifest: Manifest;
}): Promise<PostgresReEmbedding> {
  const { analyser, manifest, nextManifest } = options;
  const { replica: _, ...location } = parsePostgresLocation(options.location);
  const nextLocation: PostgresLocation = { ...location, knowledgeBase: nextName(location.knowledgeBase) };
  const { tenant, knowledgeBase, shown } = location;
  const own = [tenant, knowledgeBase];
  const hidden = [tenant, nextLocation.knowledgeBase];
  // By this, a run that was overtaken by another one is told from it.
  const building: Manifest = { ...nextManifest, importing: randomUUID() };
  // Connections of its own: the exchange waits in the middle of its transaction for what the stores do.
  const transactions = createTransactions({ location });
  const graph = createVectorGraph({ transactions, location, kind: 'auto' });

  const rowOf = async (query: Query, key: readonly string[], lock = '') => {
    const [row] = await query(
      `SELECT manifest, generation::text FROM aquifer.knowledge_bases WHERE ${ofOne} ${lock}`,
      key,
    );
    return row && { manifest: JSON.parse(row.manifest as string) as Manifest, generation: row.generation as string };
  };
  const generationNow = async () => (await transactions.read((query) => rowOf(query, own)))?.generation;
  const removeNext = () =>
    transactions.write(async (query) => {
      await query(lockWriting(nextLocation, 'alone'));
      await removeRows(query, tenant, nextLocation.knowledgeBase);
    });

  async function openNext(): Promise<Store> {
    const left = await transactions.read((query) => rowOf(query, hidden));
    if (left !== undefined && !isOfSameMaking(left.manifest, nextManifest)) await removeNext();
    const next = await openStoreAt(nextLocation, { analyser, index: 'exact' });
    await next.writeManifest(building);
    return next;
  }

  /** Returns false where a graph is in the way, which cannot be dropped in the middle of a transaction. */
  async function putInPlace(query: Query, seen: string | undefined, fill: () => Promise<void>): Promise<boolean> {
    await query(lockWriting(location, 'alone'));
    const old = await rowOf(query, own, 'FOR UPDATE');
    if (old === undefined) throw new AquiferError('index-not-found', `There is no index at ${shown} any more.`);
    if (!isMadeAlike(old.manifest, manifest)) throw replacedMeanwhile(old.manifest, shown);
    if (old.generation !== seen) await fill();
    await query(lockWriting(nextLocation, 'alone'));
    const built = await rowOf(query, hidden, 'FOR UPDATE');
    if (built === undefined || !isMadeAlike(built.manifest, building)) {
      throw new AquiferError('embedder-mismatch', `Another run embeds the index at ${shown} again: let it finish.`, {
        retryable: true,
      });
    }
    if ((await graph.names(query)).length > 0) return false;
    for (const table of filledTables) await replaceRows(query, table, own, hidden);
    await query(
      `UPDATE aquifer.knowledge_bases SET manifest = $4, dimensions = $5, generation = knowledge_bases.generation + 1, chunks = built.chunks,
         terms = built.terms, tokens = built.tokens
       FROM (SELECT chunks, terms, tokens FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $3) built
       WHERE ${ofOne}`,
      [...own, nextLocation.knowledgeBase, JSON.stringify(nextManifest), nextManifest.embedder.dimensions],
    );
    return true;
  }

  try {
    const next = await openNext();
    return {
      next,
      async exchange(fill) {
        let seen: string | undefined;
        for (let pass = 0; pass < passesBesideWriters; pass += 1) {
          const now = await generationNow();
          if (pass > 0 && now === seen) break;
          seen = now;
          await fill();
        }
        do await graph.drop();
        while (!(await transactions.write((query) => putInPlace(query, seen, fill))));
        await removeNext();
      },
      async close() {
        await Promise.all([next.close(), transactions.close()]);
      },
    };
  } catch (error) {
    await transactions.close();
    throw error;
  }
}

const isOfSameMaking = (left: Manifest, wanted: Manifest): boolean =>
  isMadeAlike({ ...wanted, importing: left.importing ?? '' }, left) &&
  left.chunker === wanted.chunker &&
  left.analyser === wanted.analyser &&
  left.knowledgeBase.id === wanted.knowledgeBase.id;

/** What a table has of one knowledge base takes the place of what it has of the other. Copied: rows of other partitions cannot be moved. */
async function replaceRows(
  query: Query,
  table: string,
  own: readonly string[],
  hidden: readonly string[],
): Promise<void> {
  const columns = await query(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = 'aquifer' AND table_name = $1 AND column_name NOT IN ('tenant', 'knowledge_base') ORDER BY ordinal_position`,
    [table],
  );
  const names = columns.map(({ name }) => pg.escapeIdentifier(name as string)).join(', ');
  await query(`DELETE FROM aquifer.${table} WHERE ${ofOne}`, own);
  await query(
    `INSERT INTO aquifer.${table} (tenant, knowledge_base, ${names})
     SELECT tenant, $3, ${names} FROM aquifer.${table} WHERE ${ofOne}`,
    [...hidden, own[1]],
  );
}
