export { createLocalBackend, type LocalBackendOptions } from './local-backend.js';
export {
  createRetrievalService,
  type ListenOptions,
  type RetrievalService,
  type RetrievalServiceOptions,
} from './retrieval-service.js';
