export type { DeepStanding, DocumentExplanation, ExplanationOutcome } from './explain.js';
export { type FusedChunk, type FusionMethod, type FusionOptions, fuse, type Legs, type Standing } from './fuse.js';
export {
  type CandidateTrace,
  createRetriever,
  type Retrieval,
  type Retriever,
  type RetrieverOptions,
  type SearchMatch,
  type SearchResponse,
  type SearchTimes,
  type SearchTrace,
} from './retriever.js';
export { maxQueryLength, type SearchMode, type SearchOptions } from './search-options.js';
