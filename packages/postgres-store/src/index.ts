export { openPostgresStore, type PostgresStoreOptions } from './open-postgres-store.js';
export { isPostgresLocation, type PostgresLocation, parsePostgresLocation } from './postgres-location.js';
