/**
 * The models of Amazon Bedrock by the form of their request and response bodies (InvokeModel), which is what an adapter and a
 * server must agree on. `converse` stands for text models that only Converse is spoken with.
 */
export type BedrockFamily = (typeof bedrockFamilies)[number];

export const bedrockFamilies = [
  'titan-embed-text-v1',
  'titan-embed-text-v2',
  'titan-embed-image',
  'cohere-embed',
  'claude-messages',
  'claude-completions',
  'jurassic',
  'jamba',
  'titan-text',
  'nova',
  'titan-image',
  'stable-diffusion',
  'stability-image',
  'rerank',
  'converse',
] as const;

/** A model id of Bedrock in its parts. */
export interface BedrockModelId {
  /** As it was given: what is sent to Bedrock. */
  readonly id: string;
  /** Without ARN and inference-profile prefix: `anthropic.claude-sonnet-4-20250514-v1:0`. */
  readonly baseId: string;
  /** `us`, `eu`, `apac`, `global`, … of an inference-profile id. */
  readonly inferenceProfile?: string;
  /** Of an ARN. */
  readonly region?: string;
  readonly family: BedrockFamily;
}

/** First match wins. */
const familyPatterns: readonly (readonly [RegExp, BedrockFamily])[] = [
  [/^amazon\.titan-embed-(?:g1-)?text-(?:v1|02|01)/, 'titan-embed-text-v1'],
  [/^amazon\.titan-embed-text-/, 'titan-embed-text-v2'],
  [/^amazon\.titan-embed-image-/, 'titan-embed-image'],
  [/^amazon\.titan-image-generator-|^amazon\.nova-canvas-/, 'titan-image'],
  [/^amazon\.titan-(?:text|tg1)-/, 'titan-text'],
  [/^amazon\.rerank-|^cohere\.rerank-/, 'rerank'],
  [/^amazon\.nova-(?!canvas|reel|sonic|.*embed)/, 'nova'],
  [/^cohere\.embed-/, 'cohere-embed'],
  [/^anthropic\.claude-(?:v\d|instant)/, 'claude-completions'],
  [/^anthropic\.claude-/, 'claude-messages'],
  [/^ai21\.j2-/, 'jurassic'],
  [/^ai21\.jamba-/, 'jamba'],
  [/^stability\.stable-diffusion-xl-/, 'stable-diffusion'],
  [/^stability\./, 'stability-image'],
  [
    /^(?:meta|mistral|cohere|deepseek|openai|qwen|google|writer|moonshot|minimax|nvidia|zai|twelvelabs|luma|amazon|ai21)\./,
    'converse',
  ],
];

/** Not models that take text and give text, vectors, scores or pictures: speech, video. */
const unservedPattern = /^amazon\.nova-(?:sonic|reel)|^amazon\.nova-.*embed|^twelvelabs\.|^luma\./;

/** `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-…`, in any partition. */
const arnPattern =
  /^arn:[a-z-]+:bedrock:([a-z0-9-]*):\d*:(foundation-model|inference-profile|application-inference-profile|custom-model|custom-model-deployment|provisioned-model|imported-model|default-prompt-router|prompt-router)\/(.+)$/;

/**
 * The parts of a Bedrock model id, inference-profile id or ARN; undefined where it is of no known family. The ARN of a resource in somebody's
 * account (an application inference profile, provisioned throughput, an imported model) does not say which model is behind it: those are spoken
 * with by Converse.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html and …/inference-profiles-support.html
 *
 * @example
 * parseBedrockModelId('us.anthropic.claude-sonnet-4-20250514-v1:0')?.family; // 'claude-messages'
 */
export function parseBedrockModelId(id: string): BedrockModelId | undefined {
  const arn = arnPattern.exec(id);
  const [, region, resource, name = id] = arn ?? [];
  const profile = /^([a-z]{2,6}(?:-gov)?)\.(?=[a-z0-9]+\.)/.exec(name);
  const baseId = profile ? name.slice(profile[0].length) : name;
  if (unservedPattern.test(baseId)) return undefined;
  const named = familyPatterns.find(([pattern]) => pattern.test(baseId))?.[1];
  const namesModel = resource === undefined || resource === 'foundation-model' || resource === 'inference-profile';
  const family = namesModel ? named : 'converse';
  if (family === undefined) return undefined;
  return {
    id,
    baseId: namesModel ? baseId : name,
    family,
    ...(profile && { inferenceProfile: profile[1] as string }),
    ...(region && { region }),
  };
}
