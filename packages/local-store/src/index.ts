export { type LocalStoreOptions, openLocalStore } from './open-local-store.js';
export type { IndexKind } from './vectors/search-plan.js';
