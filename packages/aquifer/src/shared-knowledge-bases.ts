import type { PostgresKnowledgeBases } from '@aquifer/postgres-store';

export type SharedKnowledgeBases = PostgresKnowledgeBases;

/**
 * Which knowledge bases a tenant has in a database, by its address: `postgres://…?tenant=acme`.
 *
 * @throws `invalid-options` for an address that cannot be read; the methods throw what `openKnowledgeBase` does.
 * @example
 * const shared = await sharedKnowledgeBases('postgres://aquifer@db.internal/aquifer?tenant=acme');
 * console.log(await shared.list());
 * await shared.close();
 */
export async function sharedKnowledgeBases(address: string): Promise<SharedKnowledgeBases> {
  const { openPostgresKnowledgeBases } = await import('@aquifer/postgres-store');
  return openPostgresKnowledgeBases(address);
}
