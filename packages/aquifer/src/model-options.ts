import type { SharedQuota } from '@aquifer/contracts';
import type { BedrockAgentConnection, BedrockConnection, SageMakerConnection } from '@aquifer/models';

/** Where models that run elsewhere are reached, how fast they may be asked, and how long to try. */
export interface ModelOptions {
  /**
   * A ready client, or what differs from the AWS SDK's own rules for credentials, region and endpoint: environment, shared configuration files,
   * instance roles, `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`.
   */
  readonly bedrock?: BedrockConnection;
  /** The same for rerankers, which have an endpoint and a client of their own. Region and profile: default, those of `bedrock`. */
  readonly bedrockAgent?: BedrockAgentConnection;
  /** The same for endpoints of SageMaker. */
  readonly sagemaker?: SageMakerConnection;
  /** Any server that speaks OpenAI's API. Default: OpenAI's own. */
  readonly openai?: { readonly baseUrl?: string; readonly apiKey?: string };
  /** Default: `http://127.0.0.1:11434`. */
  readonly ollama?: { readonly baseUrl?: string };
  /** The embedder's quota. Default: found out from what the provider throttles. Shared by all that one process embeds with that model. */
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  /** Keeps count of the embedder's quota where it is known and other processes use it, too, as the workers of a database do. */
  readonly sharedQuota?: SharedQuota;
  /** Tokens that prompt and answer may have together. Default: what is known of the model, from the catalogue for Bedrock, else 8,192. */
  readonly contextTokens?: number;
  /**
   * Longest time for one request to a model, waiting and retries included, in milliseconds. Default 120,000, of which a provider that cannot be
   * reached or answers with 5xx is given 30,000.
   */
  readonly deadlineMs?: number;
  /** Told what people should know, such as that a model is not in the catalogue, or that a database does not keep tenants apart. */
  readonly onWarning?: (message: string) => void;
}
