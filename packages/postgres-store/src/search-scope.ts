import type { SearchScope } from '@aquifer/contracts';
import { createParameters, type Parameters, scopeToSql } from './filter-sql.js';
import type { Query } from './transactions.js';

/** The part of a knowledge base that a search may look at. */
export type ResolvedScope =
  | { readonly kind: 'all' }
  /** So few that they are named. */
  | { readonly kind: 'few'; readonly chunks: readonly ScopedChunk[] }
  /** The condition is on `documents`. */
  | { readonly kind: 'many'; condition(parameters: Pick<Parameters, 'bind'>): string };

export interface ScopedChunk {
  readonly id: string;
  readonly document_id: string;
  readonly number: string;
  readonly embedding_key: string;
}

/** More chunks than this are not named one by one. */
export const fewChunks = 20_000;
const fewDocuments = 2_000;

/**
 * Looks what a filter leaves, no further than is needed to choose how to search: first at documents, of which there are few and whose rows are
 * short, then at the chunks of those.
 */
export async function resolveScope(
  query: Query,
  own: readonly [tenant: string, knowledgeBase: string],
  scope: SearchScope,
): Promise<ResolvedScope> {
  if (scope.filter === undefined && scope.documentIds === undefined) return { kind: 'all' };
  const condition = (parameters: Pick<Parameters, 'bind'>): string => scopeToSql(scope, parameters) as string;
  const parameters = createParameters(...own);
  const documents = await query(
    `SELECT id FROM aquifer.documents WHERE tenant = $1 AND knowledge_base = $2 AND ${condition(parameters)}
     LIMIT ${parameters.bind(fewDocuments + 1)}::int`,
    parameters.values,
  );
  if (documents.length > fewDocuments) return { kind: 'many', condition };
  const chunks = await query<ScopedChunk & Record<string, unknown>>(
    `SELECT id, document_id, number, embedding_key FROM aquifer.chunks
     WHERE tenant = $1 AND knowledge_base = $2 AND document_id = ANY($3::text[]) LIMIT $4::int`,
    [...own, documents.map((row) => row.id), fewChunks + 1],
  );
  return chunks.length > fewChunks ? { kind: 'many', condition } : { kind: 'few', chunks };
}
