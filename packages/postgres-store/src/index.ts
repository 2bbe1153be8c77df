export { openPostgresKnowledgeBases, type PostgresKnowledgeBases } from './knowledge-bases.js';
export { openPostgresStore, type PostgresStore, type PostgresStoreOptions } from './open-postgres-store.js';
export type { QueueDepth } from './queue/queue-depth.js';
export { beginPostgresReEmbedding, type PostgresReEmbedding } from './re-embedding.js';
export { examineTenantProtection } from './tenant-protection.js';
