export type { PageCall } from './control/checked-fields.js';
export type {
  ControlBackend,
  DataSourceKey,
  DataSourceShape,
  DocumentShape,
  IngestionJobShape,
  KnowledgeBaseShape,
  KnowledgeBaseSummaryShape,
  Page,
} from './control/control-backend.js';
export {
  type ControlOperation,
  type ControlRoute,
  controlOperations,
  controlRouteOf,
} from './control/control-route.js';
export { type ControlRequest, handleControlRequest } from './control/handle-control-request.js';
export type { DataSourceCall, DataSourcePlace } from './control/read-data-source.js';
export type { DocumentBytes, DocumentCall, DocumentIdentifier } from './control/read-documents.js';
export type { IngestionJobStatus, ListJobsCall } from './control/read-ingestion-job.js';
export type { KnowledgeBaseCall } from './control/read-knowledge-base.js';
export {
  type Conversation,
  type ConversationMessage,
  type ConversationSource,
  conversationTokens,
  type TextPiece,
  type TextRequest,
  type TextStop,
} from './conversation.js';
export { errorFrame, eventStreamType } from './event-stream.js';
export { errorResponse, handleRequest, type WireRequest, type WireResponse } from './handle-request.js';
export type {
  AskCall,
  ExternalCall,
  ExternalDocument,
  GroundedAnswer,
  GroundedCall,
  GroundedEvent,
  KnowledgeBaseBackend,
  RetrieveCall,
  RetrievedPassage,
} from './knowledge-bases/knowledge-base-backend.js';
export type {
  EmbedCall,
  EmbedInput,
  GenerateCall,
  GenerateEvent,
  ImageCall,
  ModelBackend,
  RerankCall,
} from './model-backend.js';
export { isKnowledgeBaseOperation, routeOf, type WireOperation, type WireRoute } from './operation.js';
export {
  type AccessKey,
  type SignableRequest,
  type SignatureRules,
  signRequest,
  verifySignature,
} from './signature.js';
export {
  invalidRequest,
  statusOf,
  toWireError,
  type WireError,
  type WireErrorName,
  WireException,
  wireErrorNames,
} from './wire-error.js';
