/** The operations of bedrock-runtime that are spoken, and Rerank of bedrock-agent-runtime. */
export type WireOperation =
  | 'InvokeModel'
  | 'InvokeModelWithResponseStream'
  | 'Converse'
  | 'ConverseStream'
  | 'CountTokens'
  | 'Rerank';

export interface WireRoute {
  readonly operation: WireOperation;
  /** Decoded; empty for Rerank, which names its model in the body. */
  readonly modelId: string;
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
  const end = path.lastIndexOf('/');
  const operation = operations[path.slice(end + 1)];
  if (operation === undefined || !path.startsWith('/model/') || end <= '/model/'.length) return undefined;
  try {
    return { operation, modelId: decodeURIComponent(path.slice('/model/'.length, end)) };
  } catch {
    return undefined;
  }
}
