export { type LocalStoreOptions, openLocalStore } from './open-local-store.js';
export type { IndexKind } from './search-plan.js';
