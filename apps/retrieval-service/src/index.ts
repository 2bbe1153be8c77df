export { type KeyRecord, type KeyRing, type KeyScope, keyScopes, type NewKey, openKeyRing } from './access/key-ring.js';
export {
  type BedrockGateway,
  type BedrockGatewayOptions,
  createBedrockGateway,
  type UpstreamClient,
} from './bedrock-gateway.js';
export { type Faults, parseFaults } from './faults.js';
export { createDatabaseHost, type DatabaseHostOptions } from './hosting/database-host.js';
export { createFolderHost, type FolderHostOptions } from './hosting/folder-host.js';
export type {
  HostedIdentity,
  HostedKnowledgeBase,
  KnowledgeBaseHost,
  NewKnowledgeBase,
} from './hosting/knowledge-base-host.js';
export {
  createLocalBackend,
  type LocalBackendOptions,
  mappedModel,
  nameOfModel,
  realBedrock,
} from './local-backend.js';
export { createMcpServer, type McpServerOptions } from './mcp/mcp-server.js';
export { serveMcp } from './mcp/serve-mcp.js';
export { type AuditEntry, type AuditedAction, type AuditLog, createAuditLog } from './observing/audit-log.js';
export { type AnsweredRequest, openRequestLog, type RequestLog, requestLine } from './observing/request-lines.js';
export type { ModelUsage, ObservedRequest } from './observing/request-observer.js';
export { openTracing, type RequestTracing } from './observing/tracing.js';
export { createPromptLog, type PromptLog } from './prompt-log.js';
export {
  createRetrievalService,
  type ListenOptions,
  type RetrievalService,
  type RetrievalServiceOptions,
} from './retrieval-service.js';
