import { keywordRanking } from '@aquifer/contracts';
import type { CollectionSize } from './keyword-scores.js';
import type { Query } from './transactions.js';

/** The chunks that hold a term, as parallel entries. */
export interface Postings {
  readonly term: string;
  readonly chunks: Float64Array;
  /** How often each says it, three times as much in context and table header. */
  readonly frequencies: Int32Array;
  /** In terms. */
  readonly lengths: Int32Array;
}

/** A chunk that holds both terms of a pair. */
export interface Meeting {
  /** Which of the pairs. */
  readonly pair: number;
  readonly chunk: number;
}

const { maxQueryTerms, contextWeight } = keywordRanking;
const postingBytes = 16;
/** One answer has a few hundred bytes for each. */
const meetingsPerStatement = 20_000;

/** What a search by keywords reads of one knowledge base. */
export function createKeywordPostings(tenant: string, knowledgeBase: string) {
  const own = [tenant, knowledgeBase] as const;
  const ofOwn = 'tenant = $1 AND knowledge_base = $2';
  // One by one: without statistics, the planner takes all postings of the knowledge base for one row, and would filter them.
  const positionsOf = (terms: string): string =>
    `LATERAL (SELECT positions FROM aquifer.postings
       WHERE ${ofOwn} AND term = (${terms}::text[])[met.pair] AND chunk = met.chunk OFFSET 0)`;

  /** The rarest of them, as many as count. */
  const rarestOf = async (query: Query, terms: readonly string[]): Promise<string[]> => {
    const rows = await query<{ term: string }>(
      `SELECT asked.term FROM unnest($3::text[]) AS asked (term), LATERAL (
         SELECT count(*) AS holding FROM aquifer.postings WHERE ${ofOwn} AND postings.term = asked.term) counted
       WHERE holding > 0 ORDER BY holding, asked.term COLLATE "C" LIMIT ${maxQueryTerms}`,
      [...own, terms],
    );
    return rows.map(({ term }) => term);
  };

  return {
    /** Of those of the terms that exist: the rarest, as many as count. The rarest comes first. */
    async read(query: Query, terms: readonly string[]): Promise<{ size: CollectionSize; postings: Postings[] }> {
      const counting = terms.length <= maxQueryTerms ? terms : await rarestOf(query, terms);
      // All of it is in the index. A row for each posting would take longer to be sent and parsed than all the rest.
      const rows = await query<{ chunks: number; average: number; term: string; bytes: Buffer }>(
        `SELECT base.chunks::float8, base.terms::float8 / nullif(base.chunks, 0) AS average, asked.term, posting.bytes
         FROM aquifer.knowledge_bases AS base, unnest($3::text[]) AS asked (term), LATERAL (
           SELECT string_agg(int8send(chunk) || int8send(frequency::bigint << 32 | chunk_terms), '') AS bytes
           FROM aquifer.postings WHERE ${ofOwn} AND postings.term = asked.term) posting
         WHERE base.tenant = $1 AND base.knowledge_base = $2 AND posting.bytes IS NOT NULL`,
        [...own, counting],
      );
      return {
        size: { chunks: rows[0]?.chunks ?? 0, averageLength: rows[0]?.average ?? 0 },
        postings: rows
          .map(({ term, bytes }) => decodePostings(term, bytes))
          .sort((left, right) => left.chunks.length - right.chunks.length || (left.term < right.term ? -1 : 1)),
      };
    },

    /** How often the second term of the pair follows the first at once, in each of these chunks; three times as much in context and table header. */
    async adjacent(
      query: Query,
      pairs: readonly (readonly [string, string])[],
      meetings: readonly Meeting[],
    ): Promise<Float64Array> {
      const frequencies = new Float64Array(meetings.length);
      for (let from = 0; from < meetings.length; from += meetingsPerStatement) {
        const batch = meetings.slice(from, from + meetingsPerStatement);
        const [row] = await query<{ places: string | null }>(
          `SELECT string_agg(met.at || ahead.positions::text || behind.positions::text, '') AS places
           FROM unnest($3::int[], $4::bigint[]) WITH ORDINALITY AS met (pair, chunk, at),
             ${positionsOf('$5')} ahead, ${positionsOf('$6')} behind`,
          [
            ...own,
            batch.map(({ pair }) => pair + 1),
            batch.map(({ chunk }) => chunk),
            pairs.map(([ahead]) => ahead),
            pairs.map(([, behind]) => behind),
          ],
        );
        // Such as 1{4,19}{5}2{3}{8,11}
        const parts = (row?.places ?? '').split('}');
        for (let index = 0; index + 1 < parts.length; index += 2) {
          const [at, ahead] = (parts[index] as string).split('{') as [string, string];
          frequencies[from + Number(at) - 1] = countAdjacent(ahead, (parts[index + 1] as string).slice(1));
        }
      }
      return frequencies;
    },
  };
}

function decodePostings(term: string, bytes: Buffer): Postings {
  const count = bytes.length / postingBytes;
  const chunks = new Float64Array(count);
  const frequencies = new Int32Array(count);
  const lengths = new Int32Array(count);
  // A buffer's own methods take four times as long.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let index = 0, at = 0; index < count; index++, at += postingBytes) {
    chunks[index] = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    frequencies[index] = view.getInt32(at + 8);
    lengths[index] = view.getInt32(at + 12);
  }
  return { term, chunks, frequencies, lengths };
}

/** Both are lists of positions, ascending and separated by commas. */
function countAdjacent(ahead: string, behind: string): number {
  const seconds = behind.split(',');
  let count = 0;
  let at = 0;
  for (const text of ahead.split(',')) {
    const first = Number(text);
    while (at < seconds.length && Number(seconds[at]) <= first) at++;
    if (at < seconds.length && Number(seconds[at]) === first + 1) count += first < 0 ? contextWeight : 1;
  }
  return count;
}
