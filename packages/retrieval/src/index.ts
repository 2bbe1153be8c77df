export type {
  Answer,
  AnswerEvent,
  AnswerTimes,
  Citation,
  ConsideredPassage,
  Reference,
} from './answer-events.js';
export { type Answerer, type AnswererOptions, type AskOptions, createAnswerer } from './answerer.js';
export type { DeepStanding, DocumentExplanation, ExplanationOutcome } from './explain.js';
export { type FusedChunk, type FusionMethod, type FusionOptions, fuse, type Legs, type Standing } from './fuse.js';
export type { DroppedMatch } from './passages.js';
export { abstentionMarker, buildPrompt } from './prompt.js';
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
