import { AquiferError } from '@aquifer/contracts';

/** How a service of AWS is reached; what is left out follows the SDK's own rules. */
export interface AwsAddress {
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
}

/** The settings of a client whose requests are retried in one place, the pacer. */
export function awsClientSettings({ region, endpoint, profile }: AwsAddress) {
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 1,
  };
}

/** @throws `invalid-options` for a client that was passed in and retries by itself. */
export async function refuseRetries<Client extends { readonly config: { maxAttempts(): Promise<number> } }>(
  client: Client,
  className: string,
): Promise<Client> {
  const attempts = await client.config.maxAttempts();
  if (attempts <= 1) return client;
  throw new AquiferError(
    'invalid-options',
    `The client that was passed in tries every request ${attempts} times by itself, which would multiply with the paced retries here. ` +
      `Make it with new ${className}({ maxAttempts: 1, … }).`,
  );
}
