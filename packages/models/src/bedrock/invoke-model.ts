import type { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { type BedrockRequestContext, describeBedrockError } from './bedrock-errors.js';

export interface ModelInvocation {
  /** In the form of the model's family. */
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly context: BedrockRequestContext;
}

export interface InvokedModel {
  /** The model's JSON, not looked at. */
  readonly body: unknown;
  /** As Bedrock itself counted. */
  readonly inputTokens?: number;
}

/**
 * One InvokeModel request, sent once.
 *
 * @throws the SDK's own error, described in place by {@link describeBedrockError}; `model-failed` for a body that is not JSON.
 */
export async function invokeModel(
  client: BedrockRuntimeClient,
  { body, signal, context }: ModelInvocation,
): Promise<InvokedModel> {
  const { InvokeModelCommand } = await import('@aws-sdk/client-bedrock-runtime');
  const json = 'application/json';
  const command = new InvokeModelCommand({
    modelId: context.modelId,
    body: JSON.stringify(body),
    contentType: json,
    accept: json,
  });
  let counted: string | undefined;
  // The SDK does not hand out headers.
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      counted = headers?.['x-amzn-bedrock-input-token-count'];
      return result;
    },
    { step: 'deserialize', name: 'countedTokens', priority: 'low' },
  );
  try {
    const response = await client.send(command, { abortSignal: signal });
    const inputTokens = Number(counted);
    return {
      body: JSON.parse(new TextDecoder().decode(response.body)),
      ...(counted !== undefined && Number.isInteger(inputTokens) && { inputTokens }),
    };
  } catch (error) {
    throw describeBedrockError(error, context);
  }
}
