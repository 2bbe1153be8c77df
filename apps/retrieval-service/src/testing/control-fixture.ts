import { setTimeout as delay } from 'node:timers/promises';
import {
  BedrockAgentClient,
  CreateDataSourceCommand,
  CreateKnowledgeBaseCommand,
  type CreateKnowledgeBaseCommandInput,
  type DocumentIdentifier,
  GetKnowledgeBaseDocumentsCommand,
  type KnowledgeBaseDocument,
  type KnowledgeBaseDocumentDetail,
} from '@aws-sdk/client-bedrock-agent';

/** An unmodified client; HTTP/1.1 is what it speaks by itself. */
export function agentClient(endpoint: string, accessKeyId = 'local', secretAccessKey = 'local'): BedrockAgentClient {
  const credentials = { accessKeyId, secretAccessKey };
  return new BedrockAgentClient({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials });
}

/** What programs for Bedrock send, with a store of their own that counts for nothing here. */
export const newKnowledgeBase = (name: string): CreateKnowledgeBaseCommandInput => ({
  name,
  description: 'of the company',
  roleArn: 'arn:aws:iam::123456789012:role/service-role/handbook',
  knowledgeBaseConfiguration: {
    type: 'VECTOR',
    vectorKnowledgeBaseConfiguration: {
      embeddingModelArn: 'arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0',
      embeddingModelConfiguration: { bedrockEmbeddingModelConfiguration: { dimensions: 1024 } },
    },
  },
});

/** Makes a knowledge base; its id. */
export async function makeKnowledgeBase(client: BedrockAgentClient, name = 'handbook'): Promise<string> {
  const { knowledgeBase } = await client.send(new CreateKnowledgeBaseCommand(newKnowledgeBase(name)));
  return knowledgeBase?.knowledgeBaseId ?? '';
}

/** Makes a data source for documents that are sent; the ids of both. */
export async function makeCustomSource(client: BedrockAgentClient, knowledgeBaseId: string) {
  const { dataSource } = await client.send(
    new CreateDataSourceCommand({ knowledgeBaseId, name: 'notes', dataSourceConfiguration: { type: 'CUSTOM' } }),
  );
  return { knowledgeBaseId, dataSourceId: dataSource?.dataSourceId ?? '' };
}

export const customIdentifier = (id: string): DocumentIdentifier => ({ dataSourceType: 'CUSTOM', custom: { id } });

export function inlineText(id: string, data: string, attributes: Readonly<Record<string, string>> = {}) {
  const inlineAttributes = Object.entries(attributes).map(([key, stringValue]) => ({
    key,
    value: { type: 'STRING' as const, stringValue },
  }));
  const document: KnowledgeBaseDocument = {
    content: {
      dataSourceType: 'CUSTOM',
      custom: {
        customDocumentIdentifier: { id },
        sourceType: 'IN_LINE',
        inlineContent: { type: 'TEXT', textContent: { data } },
      },
    },
    ...(inlineAttributes.length > 0 && { metadata: { type: 'IN_LINE_ATTRIBUTE', inlineAttributes } }),
  };
  return document;
}

const underWay = ['STARTING', 'PENDING', 'IN_PROGRESS', 'DELETING', 'DELETE_IN_PROGRESS'];

/** The documents when nothing is done with them any more. @throws when one of them has another status then */
export async function untilStatus(
  client: BedrockAgentClient,
  key: { readonly knowledgeBaseId: string; readonly dataSourceId: string },
  identifiers: readonly (string | DocumentIdentifier)[],
  wanted: string,
): Promise<readonly KnowledgeBaseDocumentDetail[]> {
  const documentIdentifiers = identifiers.map((each) => (typeof each === 'string' ? customIdentifier(each) : each));
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { documentDetails = [] } = await client.send(
      new GetKnowledgeBaseDocumentsCommand({ ...key, documentIdentifiers }),
    );
    if (!documentDetails.some(({ status }) => underWay.includes(status ?? ''))) {
      const other = documentDetails.find(({ status }) => status !== wanted);
      if (other !== undefined) throw new Error(`${JSON.stringify(other)} is not ${wanted}`);
      return documentDetails;
    }
    await delay(50);
  }
  throw new Error(`The documents are not ${wanted} after 30 s.`);
}
