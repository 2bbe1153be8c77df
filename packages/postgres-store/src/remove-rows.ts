import pg from 'pg';
import type { Query } from './transactions.js';

/** Deletes every row of a knowledge base; returns whether there was one. */
export async function removeRows(query: Query, tenant: string, knowledgeBase: string): Promise<boolean> {
  const own = [tenant, knowledgeBase];
  // Held until the end: who writes into it meanwhile waits, and then finds nothing.
  const [found] = await query(
    'SELECT 1 AS one FROM aquifer.knowledge_bases WHERE tenant = $1 AND knowledge_base = $2 FOR UPDATE',
    own,
  );
  const tables = await query(
    `SELECT DISTINCT table_name AS name FROM information_schema.columns
     WHERE table_schema = 'aquifer' AND column_name = 'knowledge_base' ORDER BY table_name`,
  );
  for (const table of tables) {
    await query(
      `DELETE FROM aquifer.${pg.escapeIdentifier(table.name as string)} WHERE tenant = $1 AND knowledge_base = $2`,
      own,
    );
  }
  return found !== undefined;
}
