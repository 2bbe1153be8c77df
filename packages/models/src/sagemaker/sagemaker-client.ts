import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { awsClientSettings, refuseRetries } from '../aws-client.js';

/**
 * How SageMaker's runtime is reached. What is left out follows the AWS SDK's own rules: `AWS_REGION`, `AWS_PROFILE`, `~/.aws`, container and
 * instance roles, `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME`.
 */
export interface SageMakerConnection {
  /** A ready client with `maxAttempts: 1`; the options below are then not used, and closing it is its owner's business. */
  readonly client?: SageMakerRuntimeClient;
  readonly region?: string;
  /** The API's address, such as that of a VPC endpoint. */
  readonly endpoint?: string;
  /** Of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile?: string;
}

/** A model behind an endpoint of one's own account. */
export interface SageMakerEndpoint {
  /** The endpoint's name. */
  readonly endpoint: string;
  /** Of an endpoint that hosts several models as inference components. */
  readonly inferenceComponent?: string;
  readonly connection?: SageMakerConnection;
}

/** SageMaker itself gives a model 60 seconds, and 8 minutes for a stream. */
const silenceMs = 120_000;

/** @throws `invalid-options` for a client that retries by itself. */
export async function sageMakerClient(connection: SageMakerConnection = {}): Promise<SageMakerRuntimeClient> {
  if (connection.client) return await refuseRetries(connection.client, 'SageMakerRuntimeClient');
  const { SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime');
  return new SageMakerRuntimeClient({
    ...awsClientSettings(connection),
    requestHandler: { requestTimeout: silenceMs },
  });
}
