export type {
  Answer,
  AnswerEvent,
  AnswerTimes,
  Citation,
  ConsideredPassage,
  Reference,
} from './answering/answer-events.js';
export { type Answerer, type AnswererOptions, type AskOptions, createAnswerer } from './answering/answerer.js';
export type { ConversationTurn } from './answering/conversation.js';
export type { DroppedMatch } from './answering/passages.js';
export { abstentionMarker, buildPrompt } from './answering/prompt.js';
export type { DeepStanding, DocumentExplanation, ExplanationOutcome } from './searching/explain.js';
export {
  type FusedChunk,
  type FusionMethod,
  type FusionOptions,
  fuse,
  type Legs,
  type Standing,
} from './searching/fuse.js';
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
  type SearchUsage,
} from './searching/retriever.js';
export { maxQueryLength, type SearchMode, type SearchOptions } from './searching/search-options.js';
