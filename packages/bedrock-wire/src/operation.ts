/** The operations of bedrock-runtime and bedrock-agent-runtime that are spoken. */
export type WireOperation =
  | 'InvokeModel'
  | 'InvokeModelWithResponseStream'
  | 'Converse'
  | 'ConverseStream'
  | 'CountTokens'
  | KnowledgeBaseOperation
  | 'Rerank';

const knowledgeBaseOperations = ['Retrieve', 'RetrieveAndGenerate', 'RetrieveAndGenerateStream'] as const;
export type KnowledgeBaseOperation = (typeof knowledgeBaseOperations)[number];

/** Whether knowledge bases answer it, not models alone. */
export function isKnowledgeBaseOperation(operation: WireOperation): operation is KnowledgeBaseOperation {
  return knowledgeBaseOperations.some((each) => each === operation);
}

export interface WireRoute {
  readonly operation: WireOperation;
  /** Decoded; empty for the operations that name their model in the body. */
  readonly modelId: string;
  /** Of Retrieve: an id, or an ARN that ends in one. */
  readonly knowledgeBaseId?: string;
}

const operations: Readonly<Record<string, WireOperation>> = {
  invoke: 'InvokeModel',
  'invoke-with-response-stream': 'InvokeModelWithResponseStream',
  converse: 'Converse',
  'converse-stream': 'ConverseStream',
  'count-tokens': 'CountTokens',
};

/** The operation that a POST to this path is, or undefined. The model id is percent-encoded, with an ARN's slashes or without. */
export function routeOf(path: string): WireRoute | undefined {
  if (path === '/rerank') return { operation: 'Rerank', modelId: '' };
  if (path === '/retrieveAndGenerate') return { operation: 'RetrieveAndGenerate', modelId: '' };
  if (path === '/retrieveAndGenerateStream') return { operation: 'RetrieveAndGenerateStream', modelId: '' };
  const [, knowledgeBase] = /^\/knowledgebases\/([^/]+)\/retrieve$/.exec(path) ?? [];
  if (knowledgeBase !== undefined) return retrieveRoute(knowledgeBase);
  const end = path.lastIndexOf('/');
  const operation = operations[path.slice(end + 1)];
  if (operation === undefined || !path.startsWith('/model/') || end <= '/model/'.length) return undefined;
  try {
    return { operation, modelId: decodeURIComponent(path.slice('/model/'.length, end)) };
  } catch {
    return undefined;
  }
}

function retrieveRoute(encoded: string): WireRoute | undefined {
  try {
    return { operation: 'Retrieve', modelId: '', knowledgeBaseId: decodeURIComponent(encoded) };
  } catch {
    return undefined;
  }
}
