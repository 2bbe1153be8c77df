import { AquiferError } from '@aquifer/contracts';
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';

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
  const { client, region, endpoint, profile } = connection;
  if (client) {
    const attempts = await client.config.maxAttempts();
    if (attempts <= 1) return client;
    throw new AquiferError(
      'invalid-options',
      `The client that was passed in tries every request ${attempts} times by itself, which would multiply with the paced retries here. ` +
        'Make it with new SageMakerRuntimeClient({ maxAttempts: 1, … }).',
    );
  }
  const { SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime');
  return new SageMakerRuntimeClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 1,
    requestHandler: { requestTimeout: silenceMs },
  });
}
