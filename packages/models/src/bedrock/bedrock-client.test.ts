import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isAquiferError } from '@aquifer/contracts';
import { BedrockRuntimeClient, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { bedrockAddress, bedrockClient, closeBedrockClients } from './bedrock-client.js';
import { sendError, sendJson, startBedrockServer, testCredentials } from './bedrock-server.test-fixture.js';

const environment = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
Object.assign(process.env, environment);
after(closeBedrockClients);

const command = () =>
  new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', body: '{"inputText":"Hello"}' });

describe('bedrockClient', () => {
  it('shares a client among equal options, and opens few connections', async () => {
    const server = await startBedrockServer((_, stream) => sendJson(stream, { embedding: [1] }));
    const client = await bedrockClient({ region: 'us-east-1', endpoint: server.url });
    assert.equal(await bedrockClient({ endpoint: server.url, region: 'us-east-1' }), client);
    assert.notEqual(await bedrockClient({ region: 'eu-west-1', endpoint: server.url }), client);
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 10 }, () => client.send(command())));
    assert.equal(server.requests.length, 30);
    assert.ok(server.connections() <= 2, `${server.connections()} connections`);
    await server.close();
  });

  it('sends a request once', async () => {
    const server = await startBedrockServer((_, stream) => sendError(stream, 429, 'ThrottlingException', 'Too many.'));
    const client = await bedrockClient({ region: 'us-east-1', endpoint: server.url });
    await assert.rejects(client.send(command()), { name: 'ThrottlingException' });
    assert.equal(server.requests.length, 1);
    await server.close();
  });

  it('opens a new connection where the old one is gone', async () => {
    const server = await startBedrockServer((_, stream) => sendJson(stream, { embedding: [1] }));
    const client = await bedrockClient({ region: 'us-east-1', endpoint: server.url });
    await client.send(command());
    await closeBedrockClients();
    await (await bedrockClient({ region: 'us-east-1', endpoint: server.url })).send(command());
    assert.equal(server.connections(), 2);
    await server.close();
  });

  it('takes a ready client, unless it retries by itself', async () => {
    const ready = new BedrockRuntimeClient({ region: 'us-east-1', credentials: testCredentials, maxAttempts: 1 });
    assert.equal(await bedrockClient({ client: ready }), ready);
    const retrying = new BedrockRuntimeClient({ region: 'us-east-1', credentials: testCredentials, maxAttempts: 3 });
    await assert.rejects(
      bedrockClient({ client: retrying }),
      (error) => isAquiferError(error, 'invalid-options') && /3 times.*maxAttempts: 1/.test(error.message),
    );
  });
});

describe('bedrockAddress', () => {
  it("follows the SDK's rules on regions and endpoints", async () => {
    const address = async (options: { region?: string; endpoint?: string }) =>
      bedrockAddress(await bedrockClient(options));
    assert.deepEqual(await address({ region: 'eu-central-1' }), {
      region: 'eu-central-1',
      endpoint: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
    });
    const vpcEndpoint = 'https://vpce-0123-abcd.bedrock-runtime.us-east-1.vpce.amazonaws.com';
    assert.equal((await address({ region: 'us-east-1', endpoint: vpcEndpoint })).endpoint, vpcEndpoint);
    const settings: [Record<string, string>, string][] = [
      [{ AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:8123' }, 'http://127.0.0.1:8123'],
      [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://bedrock-runtime-fips.us-west-2.amazonaws.com'],
      [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'https://bedrock-runtime.us-west-2.api.aws'],
    ];
    for (const [variables, endpoint] of settings) {
      await closeBedrockClients();
      Object.assign(process.env, variables, { AWS_REGION: 'us-west-2' });
      const found = await address({});
      for (const name of [...Object.keys(variables), 'AWS_REGION']) delete process.env[name];
      assert.deepEqual(found, { region: 'us-west-2', endpoint });
    }
  });

  it('says what it can where there is no region', async () => {
    const client = new BedrockRuntimeClient({
      region: () => Promise.reject<string>(new Error('Region is missing')),
      credentials: testCredentials,
    });
    assert.deepEqual(await bedrockAddress(client), {});
  });
});
