export { type LocalStoreOptions, openLocalStore } from './open-local-store.js';
