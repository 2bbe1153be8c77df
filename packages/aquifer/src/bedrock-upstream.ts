import { AquiferError } from '@aquifer/contracts';
import { type BedrockConnection, bedrockAddress, bedrockClient } from '@aquifer/models/bedrock-client';

/** The real Bedrock, for what passes requests on to it. */
export interface BedrockUpstream {
  readonly client: Awaited<ReturnType<typeof bedrockClient>>;
  readonly region: string;
  readonly endpoint: string;
}

/**
 * Where Bedrock is, and a client of it, by the AWS SDK's own rules.
 *
 * @throws `invalid-options` when no region is known.
 */
export async function bedrockUpstream(connection: BedrockConnection = {}): Promise<BedrockUpstream> {
  const client = await bedrockClient(connection);
  const { region, endpoint } = await bedrockAddress(client);
  if (region === undefined || endpoint === undefined) {
    throw new AquiferError('invalid-options', 'No region of AWS is known: set AWS_REGION, or a profile that has one.');
  }
  return { client, region, endpoint };
}
