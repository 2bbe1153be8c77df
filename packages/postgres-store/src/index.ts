export { openPostgresKnowledgeBases, type PostgresKnowledgeBases } from './knowledge-bases.js';
export { openPostgresStore, type PostgresStoreOptions } from './open-postgres-store.js';
export { examineTenantProtection } from './tenant-protection.js';
