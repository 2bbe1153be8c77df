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
  statusOf,
  toWireError,
  type WireError,
  type WireErrorName,
  WireException,
  wireErrorNames,
} from './wire-error.js';
