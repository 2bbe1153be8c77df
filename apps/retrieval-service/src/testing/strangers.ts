import assert from 'node:assert/strict';
import { type ControlOperation, controlOperations } from '@aquifer/bedrock-wire';
import * as agent from '@aws-sdk/client-bedrock-agent';
import * as agentRuntime from '@aws-sdk/client-bedrock-agent-runtime';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  agentClient,
  customIdentifier,
  inlineText,
  makeCustomSource,
  newKnowledgeBase,
  untilStatus,
} from './control-fixture.js';
import { json, type StartedNative } from './native-fixture.js';
import { runtimeClient } from './runtime-client.js';

/** A key with every scope. */
export interface Holder {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What a tenant has: all of it is named in a way that no other tenant's is. */
export interface Belongings {
  readonly holder: Holder;
  readonly knowledgeBaseId: string;
  readonly knowledgeBaseName: string;
  readonly documentId: string;
  readonly jobId: string;
  readonly sessionId: string;
  readonly dataSourceId: string;
  /** Is in each of its documents and file names, and nowhere else. */
  readonly canary: string;
}

const modelArn = 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0';
const leaveQuestion = 'How long is parental leave?';
const bearer = ({ secretAccessKey }: Holder) => ({ authorization: `Bearer ${secretAccessKey}` });

/** Gives a knowledge base of that name a document, a job, a session and a data source with a document. */
export async function settle(native: StartedNative, holder: Holder, name: string, canary: string): Promise<Belongings> {
  const headers = bearer(holder);
  const made = await native.post('/v1/knowledge-bases', { name }, headers);
  assert.equal(made.status, 201, await made.clone().text());
  const { id: knowledgeBaseId } = await json(made);
  const base = `/v1/knowledge-bases/${knowledgeBaseId}`;
  const text = `# Leave\n\nParental leave is 52 weeks. ${canary}`;
  const { job } = await json(
    await native.post(`${base}/documents`, { documents: [{ name: `${canary}.md`, text }] }, headers),
  );
  await (await native.send(`/v1/jobs/${job.id}/events`, { headers })).text();
  const { documents } = await json(await native.send(`${base}/documents`, { headers }));
  const answer = await json(await native.post(`${base}/ask`, { question: leaveQuestion, session: 'new' }, headers));
  assert.match(answer.answer, /52 weeks/);
  const client = agentClient(native.endpoint, holder.accessKeyId, holder.secretAccessKey);
  const ids = await makeCustomSource(client, knowledgeBaseId);
  const sent = [inlineText(canary, `A note about leave. ${canary}`)];
  await client.send(new agent.IngestKnowledgeBaseDocumentsCommand({ ...ids, documents: sent }));
  await untilStatus(client, ids, [canary], 'INDEXED');
  client.destroy();
  return {
    holder,
    ...ids,
    knowledgeBaseName: name,
    documentId: documents[0].id,
    jobId: job.id,
    sessionId: answer.sessionId,
    canary,
  };
}

/** A request of every operation of the control plane for a data source, right in everything but maybe who sends it. */
export function controlRequests(
  ids: { readonly knowledgeBaseId: string; readonly dataSourceId: string },
  documentId: string,
): Readonly<Record<ControlOperation, object>> {
  const source = { ...ids, name: 'notes', dataSourceConfiguration: { type: 'CUSTOM' } };
  const { clientToken: _, ...knowledgeBase } = newKnowledgeBase('handbook');
  const job = { ...ids, ingestionJobId: 'ABCDEFGHIJ' };
  const documentIdentifiers = [customIdentifier(documentId)];
  return {
    CreateKnowledgeBase: knowledgeBase,
    ListKnowledgeBases: {},
    GetKnowledgeBase: ids,
    UpdateKnowledgeBase: { ...knowledgeBase, ...ids },
    DeleteKnowledgeBase: ids,
    CreateDataSource: { ...source, name: 'more' },
    ListDataSources: ids,
    GetDataSource: ids,
    UpdateDataSource: source,
    DeleteDataSource: ids,
    StartIngestionJob: ids,
    ListIngestionJobs: ids,
    GetIngestionJob: job,
    StopIngestionJob: job,
    IngestKnowledgeBaseDocuments: { ...ids, documents: [inlineText('mine', 'Mine now.')] },
    ListKnowledgeBaseDocuments: ids,
    GetKnowledgeBaseDocuments: { ...ids, documentIdentifiers },
    DeleteKnowledgeBaseDocuments: { ...ids, documentIdentifiers },
  };
}

const commands = new Map<string, unknown>(Object.entries(agent));
export const controlCommand = (operation: ControlOperation, input: object): never =>
  new (commands.get(`${operation}Command`) as new (input: object) => never)(input);

/**
 * Tries every route and operation there is, and the tools for models, with the ids of somebody else, who must still have everything afterwards. The routes are
 * those of the OpenAPI document: one that is new and that this does not know how to ask fails.
 *
 * @param own Where the stranger has something: documents, sessions and data sources of the others are asked for there, too.
 */
export async function assertSeesNothing(
  native: StartedNative,
  stranger: Holder,
  theirs: Belongings,
  own?: Belongings,
): Promise<void> {
  const headers = { ...bearer(stranger), 'content-type': 'application/json' };
  const saysNothing = (text: string, about: string) => assert.ok(!text.includes(theirs.canary), `${about}: ${text}`);
  const refused = async (method: string, path: string, body?: unknown, status = 404) => {
    const answer = await native.send(path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.equal(answer.status, status, `${method} ${path}: ${text}`);
    saysNothing(text, `${method} ${path}`);
  };

  const { paths } = await json(await native.send('/openapi.json', { headers }));
  const search = { query: leaveQuestion };
  const ask = { question: leaveQuestion };
  const bodies: Readonly<Record<string, (knowledgeBase: string) => unknown>> = {
    search: () => search,
    explain: () => ({ ...search, documentId: theirs.documentId }),
    ask: () => ask,
    addDocuments: () => ({ documents: [{ name: 'c.md', text: 'Mine now.' }] }),
    createChatCompletion: (model) => ({ model, messages: [{ role: 'user', content: leaveQuestion }] }),
    createEmbeddings: (model) => ({ model, input: 'leave' }),
  };
  /** Of whoever asks, or for whom there are no ids: what they answer must say nothing either. */
  const withoutIds = ['listKnowledgeBases', 'createKnowledgeBase', 'listJobs', 'listModels', 'mcp'];
  let count = 0;
  for (const [template, methods] of Object.entries<Record<string, { operationId: string }>>(paths)) {
    for (const [method, { operationId }] of Object.entries(methods)) {
      const isNamedInBody = operationId === 'createChatCompletion' || operationId === 'createEmbeddings';
      if (!template.includes('{') && !isNamedInBody) {
        assert.ok(withoutIds.includes(operationId), `${operationId} is asked by nobody here`);
        if (method === 'get') {
          const text = await (await native.send(template, { headers })).text();
          const { knowledgeBaseId, knowledgeBaseName, jobId } = theirs;
          for (const each of [knowledgeBaseId, knowledgeBaseName, jobId]) assert.ok(!text.includes(each), template);
        }
        continue;
      }
      for (const knowledgeBase of [theirs.knowledgeBaseId, theirs.knowledgeBaseName]) {
        const ids: Readonly<Record<string, string>> = { knowledgeBase, document: theirs.documentId, job: theirs.jobId };
        const path = template.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? assert.fail(`no id for ${name}`));
        const body =
          bodies[operationId]?.(knowledgeBase) ??
          (method === 'post' ? assert.fail(`no body for ${operationId}`) : undefined);
        await refused(method.toUpperCase(), path, body);
        count += 1;
      }
      if (own !== undefined && template.includes('{document}')) {
        const path = template.replace('{knowledgeBase}', own.knowledgeBaseId).replace('{document}', theirs.documentId);
        await refused(method.toUpperCase(), path);
      }
    }
  }
  assert.ok(count >= 24, `${count} requests`);
  if (own !== undefined) {
    const base = `/v1/knowledge-bases/${own.knowledgeBaseId}`;
    await refused('POST', `${base}/explain`, { ...search, documentId: theirs.documentId });
    await refused('POST', `${base}/ask`, { ...ask, session: theirs.sessionId });
    for (const [route, body] of Object.entries({ search, ask })) {
      saysNothing(await (await native.post(`${base}/${route}`, body, bearer(stranger))).text(), route);
    }
  }
  await refusesAwsClients(native, stranger, theirs, own);
  await refusesModels(native, stranger, theirs, saysNothing);
  await stillHas(native, theirs);
}

/** The same by the operations of Amazon Bedrock Knowledge Bases. */
async function refusesAwsClients(
  native: StartedNative,
  stranger: Holder,
  theirs: Belongings,
  own: Belongings | undefined,
) {
  const { accessKeyId, secretAccessKey } = stranger;
  const rejects = (sent: Promise<unknown>, name: string, about: string) =>
    assert.rejects(sent, (thrown: Error) => {
      assert.equal(thrown.name, name, `${about}: ${thrown.message}`);
      assert.ok(!thrown.message.includes(theirs.canary) && !/52 weeks|notes/.test(thrown.message), thrown.message);
      return true;
    });
  const client = agentClient(native.endpoint, accessKeyId, secretAccessKey);
  const places = [
    theirs,
    ...(own ? [{ knowledgeBaseId: own.knowledgeBaseId, dataSourceId: theirs.dataSourceId }] : []),
  ];
  for (const { knowledgeBaseId, dataSourceId } of places) {
    const requests = controlRequests({ knowledgeBaseId, dataSourceId }, theirs.canary);
    for (const operation of controlOperations) {
      const isOfDataSource = !/KnowledgeBases?$|(Create|List)DataSources?$/.test(operation);
      if (/^(Create|List)KnowledgeBases?$/.test(operation)) continue;
      // In the knowledge base of one's own these are one's own.
      if (knowledgeBaseId !== theirs.knowledgeBaseId && !isOfDataSource) continue;
      await rejects(
        client.send(controlCommand(operation, requests[operation])),
        'ResourceNotFoundException',
        operation,
      );
    }
  }
  const { knowledgeBaseSummaries = [] } = await client.send(new agent.ListKnowledgeBasesCommand({}));
  assert.ok(!knowledgeBaseSummaries.some(({ knowledgeBaseId }) => knowledgeBaseId === theirs.knowledgeBaseId));
  client.destroy();

  const runtime = runtimeClient(native.endpoint, accessKeyId, secretAccessKey);
  const input = { text: leaveQuestion };
  const asked = (knowledgeBaseId: string, sessionId?: string) => ({
    input,
    sessionId,
    retrieveAndGenerateConfiguration: {
      type: 'KNOWLEDGE_BASE' as const,
      knowledgeBaseConfiguration: { knowledgeBaseId, modelArn },
    },
  });
  const { RetrieveCommand, RetrieveAndGenerateCommand, RetrieveAndGenerateStreamCommand } = agentRuntime;
  const missing = 'ResourceNotFoundException';
  for (const id of [
    theirs.knowledgeBaseId,
    `arn:aws:bedrock:us-east-1:123456789012:knowledge-base/${theirs.knowledgeBaseId}`,
  ]) {
    await rejects(
      runtime.send(new RetrieveCommand({ knowledgeBaseId: id, retrievalQuery: input })),
      missing,
      'Retrieve',
    );
    await rejects(runtime.send(new RetrieveAndGenerateCommand(asked(id))), missing, 'RetrieveAndGenerate');
    await rejects(runtime.send(new RetrieveAndGenerateStreamCommand(asked(id))), missing, 'RetrieveAndGenerateStream');
  }
  if (own !== undefined) {
    const inOwn = asked(own.knowledgeBaseId, theirs.sessionId);
    await rejects(runtime.send(new RetrieveAndGenerateCommand(inOwn)), 'ValidationException', 'a session');
    await rejects(runtime.send(new RetrieveAndGenerateStreamCommand(inOwn)), 'ValidationException', 'a session');
  }
  runtime.destroy();
}

/** The same by the tools for models. */
async function refusesModels(
  native: StartedNative,
  stranger: Holder,
  theirs: Belongings,
  saysNothing: (text: string, about: string) => void,
) {
  const client = new Client({ name: 'test', version: '1' });
  const headers = bearer(stranger);
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', native.endpoint), { requestInit: { headers } }),
  );
  const inputs: Readonly<Record<string, object>> = {
    search: { query: leaveQuestion },
    ask: { question: leaveQuestion },
    get_document: { documentId: theirs.documentId },
  };
  for (const { name } of (await client.listTools()).tools) {
    for (const knowledgeBase of [theirs.knowledgeBaseId, theirs.knowledgeBaseName]) {
      const called = { ...(inputs[name] ?? assert.fail(`no input for ${name}`)), knowledgeBase };
      const { content, isError } = await client.callTool({ name, arguments: called });
      assert.equal(isError, true, `${name}: ${JSON.stringify(content)}`);
      assert.match(JSON.stringify(content), /knowledge-base-not-found/);
      saysNothing(JSON.stringify(content), name);
    }
  }
  const document = await client.callTool({ name: 'get_document', arguments: inputs.get_document as never });
  assert.equal(document.isError, true);
  saysNothing(JSON.stringify(document.content), 'get_document');
  await client.close();
}

/** Nothing that a stranger tried has changed anything. */
async function stillHas(native: StartedNative, { holder, canary, ...ids }: Belongings) {
  const { knowledgeBaseId, documentId, dataSourceId } = ids;
  const headers = bearer(holder);
  const base = `/v1/knowledge-bases/${knowledgeBaseId}`;
  const { documents } = await json(await native.send(`${base}/documents`, { headers }));
  assert.equal(documents.length, 2);
  const original = await native.send(`${base}/documents/${documentId}/content`, { headers });
  assert.ok((await original.text()).includes(canary));
  const client = agentClient(native.endpoint, holder.accessKeyId, holder.secretAccessKey);
  await untilStatus(client, { knowledgeBaseId, dataSourceId }, [canary], 'INDEXED');
  const { dataSourceSummaries } = await client.send(new agent.ListDataSourcesCommand({ knowledgeBaseId }));
  assert.equal(dataSourceSummaries?.length, 1);
  client.destroy();
  const followUp = { question: 'And in Japan?', session: ids.sessionId };
  assert.equal((await native.post(`${base}/ask`, followUp, headers)).status, 200);
}
