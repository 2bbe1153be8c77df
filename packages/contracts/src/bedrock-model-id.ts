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

/** What of an account can stand for a model: the types of ARNs that do not say which model is behind them. */
export type BedrockResource =
  | 'application-inference-profile'
  | 'provisioned-model'
  | 'custom-model'
  | 'custom-model-deployment'
  | 'imported-model'
  | 'default-prompt-router'
  | 'prompt-router';

/** A model id of Bedrock in its parts. */
export interface BedrockModelId {
  /** What is sent to Bedrock: as it was given, without the model that was named behind an ARN. */
  readonly id: string;
  /** Without ARN and inference-profile prefix: `anthropic.claude-sonnet-4-20250514-v1:0`. The resource's own name where its model is hidden. */
  readonly baseId: string;
  /** `us`, `eu`, `apac`, `global`, … of an inference-profile id. */
  readonly inferenceProfile?: string;
  /** Of an ARN. */
  readonly region?: string;
  /** Of the ARN of something in an account. */
  readonly resource?: BedrockResource;
  /** The ARN does not say which model is behind it, and no model was named. */
  readonly hidesModel?: true;
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
  /^arn:[a-z-]+:bedrock:([a-z0-9-]*):\d*:(?:foundation-model|inference-profile|(application-inference-profile|custom-model|custom-model-deployment|provisioned-model|imported-model|default-prompt-router|prompt-router))\/(.+)$/;

/**
 * The parts of a Bedrock model id, inference-profile id or ARN; undefined where it is of no known family. The ARN of a resource in somebody's
 * account (an application inference profile, provisioned throughput, an imported model) does not say which model is behind it. Whoever knows
 * names it behind an `@`, which no id and no ARN has; without that the resource is spoken with by Converse.
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html and …/inference-profiles-support.html
 *
 * @example
 * parseBedrockModelId('us.anthropic.claude-sonnet-4-20250514-v1:0')?.family; // 'claude-messages'
 * const profile = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123';
 * parseBedrockModelId(`${profile}@amazon.titan-embed-text-v2:0`)?.family; // 'titan-embed-text-v2'
 */
export function parseBedrockModelId(id: string): BedrockModelId | undefined {
  const at = id.indexOf('@');
  const sent = at < 0 ? id : id.slice(0, at);
  const [, region, resource, name = sent] = arnPattern.exec(sent) ?? [];
  const place = region ? { region } : {};
  if (resource !== undefined) {
    const own = { id: sent, ...place, resource: resource as BedrockResource };
    if (at < 0) return { ...own, baseId: name, family: 'converse', hidesModel: true };
    const behind = parseBedrockModelId(id.slice(at + 1));
    return behind === undefined || behind.resource !== undefined ? undefined : { ...behind, ...own };
  }
  if (at >= 0) return undefined;
  const profile = /^([a-z]{2,6}(?:-gov)?)\.(?=[a-z0-9]+\.)/.exec(name);
  const baseId = profile ? name.slice(profile[0].length) : name;
  if (unservedPattern.test(baseId)) return undefined;
  const family = familyPatterns.find(([pattern]) => pattern.test(baseId))?.[1];
  if (family === undefined) return undefined;
  return { id, baseId, family, ...(profile && { inferenceProfile: profile[1] as string }), ...place };
}
