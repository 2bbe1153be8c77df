import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import {
  type BedrockAgentRuntimeClient,
  type GenerationConfiguration,
  RetrieveAndGenerateCommand,
  RetrieveAndGenerateStreamCommand,
  RetrieveCommand,
  type RetrieveCommandInput,
  type TextInferenceConfig,
} from '@aws-sdk/client-bedrock-agent-runtime';
import { createLocalBackend } from '../local-backend.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';
import { runtimeClient } from '../testing/runtime-client.js';
import { modelsByName } from '../testing/service-fixture.js';

const documents = [
  {
    name: 'leave-jp.md',
    text: '# Leave in Japan\n\nFull-time employees in Japan may take 52 weeks of parental leave.',
    metadata: { country: 'JP', year: 2025, tags: ['leave', 'family'] },
  },
  {
    name: 'leave-de.md',
    text: '# Leave in Germany\n\nEmployees in Germany may take three years of parental leave.',
    metadata: { country: 'DE', year: 2024, tags: ['leave'] },
  },
  { name: 'coffee.md', text: '# Coffee\n\nThe espresso machine is on floor seven.', metadata: { floor: 7 } },
];

/** An OpenAI-compatible server whose model cites the first passage, and the messages it was sent. */
async function startChat(): Promise<{ server: Server; baseUrl: string; sent: { role: string; content: string }[][] }> {
  const sent: { role: string; content: string }[][] = [];
  const server = createServer(async (request, response) => {
    sent.push(JSON.parse(await textOf(request)).messages);
    response.setHeader('content-type', 'text/event-stream');
    for (const [content, finish_reason] of [
      ['Arr, 52 weeks of parental leave [1].', null] as const,
      ['', 'stop'] as const,
    ]) {
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, sent, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('the API of Bedrock Knowledge Bases, by the unmodified SDK', () => {
  let chat: Awaited<ReturnType<typeof startChat>>;
  let native: StartedNative;
  let client: BedrockAgentRuntimeClient;
  let knowledgeBaseId: string;
  let rerankedTexts = 0;
  before(async () => {
    chat = await startChat();
    const local = createLocalBackend(modelsByName);
    native = await startNative({
      backend: {
        ...local,
        rerank: (call) => {
          rerankedTexts = call.texts.length;
          if (!call.modelId.includes('cohere')) return local.rerank(call);
          return Promise.resolve(call.texts.map((text) => (text.includes('espresso') ? 1 : 0.1)));
        },
      },
      modelName: (modelId) => (modelId.endsWith('/chat') ? 'openai:chat' : 'builtin'),
      index: { models: { openai: { baseUrl: chat.baseUrl } } },
    });
    knowledgeBaseId = (await json(await native.post('/v1/knowledge-bases', { name: 'default' }))).id;
    const job = await native.finished(await native.post('/v1/knowledge-bases/default/documents', { documents }));
    assert.equal(job.status, 'succeeded');
    client = runtimeClient(native.endpoint);
  });
  after(async () => {
    client.destroy();
    await native.close();
    chat.server.closeAllConnections();
    chat.server.close();
    assert.deepEqual(native.failures, []);
  });

  const found = async (text: string, vectorSearchConfiguration: object = {}) => {
    const { retrievalResults } = await client.send(
      new RetrieveCommand({
        knowledgeBaseId,
        retrievalQuery: { text },
        retrievalConfiguration: { vectorSearchConfiguration },
      } as RetrieveCommandInput),
    );
    return retrievalResults?.map(({ location }) => location?.customDocumentLocation?.id).sort();
  };

  it('retrieves passages with their place, score and metadata', async () => {
    const { retrievalResults } = await client.send(
      new RetrieveCommand({
        knowledgeBaseId: `arn:aws:bedrock:us-east-1:123456789012:knowledge-base/${knowledgeBaseId}`,
        retrievalQuery: { text: 'parental leave in Japan' },
      }),
    );
    const [best] = retrievalResults ?? [];
    assert.match(best?.content?.text ?? '', /52 weeks/);
    assert.ok((best?.score ?? 0) > 0);
    assert.equal(best?.metadata?.country, 'JP');
    assert.equal(best?.metadata?.['x-amz-bedrock-kb-source-uri'], 'leave-jp.md');
  });

  it('takes every operator of a filter, and both kinds of search', async () => {
    const by = (filter: object) => found('leave and coffee', { filter, numberOfResults: 10 });
    const at = (key: string, value: unknown) => ({ key, value });
    const [jp, de, coffee] = ['leave-jp.md', 'leave-de.md', 'coffee.md'];
    assert.deepEqual(await by({ equals: at('country', 'JP') }), [jp]);
    assert.deepEqual(await by({ notEquals: at('country', 'JP') }), [coffee, de]);
    assert.deepEqual(await by({ greaterThan: at('year', 2024) }), [jp]);
    assert.deepEqual(await by({ greaterThanOrEquals: at('year', 2024) }), [de, jp]);
    assert.deepEqual(await by({ lessThan: at('year', 2025) }), [de]);
    assert.deepEqual(await by({ lessThanOrEquals: at('year', 2025) }), [de, jp]);
    assert.deepEqual(await by({ in: at('country', ['JP', 'FR']) }), [jp]);
    assert.deepEqual(await by({ notIn: at('country', ['JP', 'FR']) }), [coffee, de]);
    assert.deepEqual(await by({ startsWith: at('country', 'J') }), [jp]);
    assert.deepEqual(await by({ listContains: at('tags', 'family') }), [jp]);
    assert.deepEqual(await by({ stringContains: at('tags', 'fam') }), [jp]);
    assert.deepEqual(await by({ andAll: [{ equals: at('country', 'DE') }, { lessThan: at('year', 2025) }] }), [de]);
    assert.deepEqual(await by({ orAll: [{ equals: at('country', 'DE') }, { equals: at('floor', 7) }] }), [coffee, de]);
    for (const overrideSearchType of ['HYBRID', 'SEMANTIC']) {
      assert.ok((await found('parental leave in Germany', { overrideSearchType }))?.includes(de));
    }
  });

  it('gives results page by page', async () => {
    const all: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new RetrieveCommand({
          knowledgeBaseId,
          retrievalQuery: { text: 'leave and coffee' },
          retrievalConfiguration: { vectorSearchConfiguration: { numberOfResults: 1 } },
          nextToken,
        }),
      );
      assert.equal(page.retrievalResults?.length, 1);
      all.push(page.retrievalResults[0]?.location?.customDocumentLocation?.id);
      nextToken = page.nextToken;
    } while (nextToken);
    assert.deepEqual(all.sort(), ['coffee.md', 'leave-de.md', 'leave-jp.md']);
  });

  it('puts passages in the order of a reranking model', async () => {
    const { retrievalResults } = await client.send(
      new RetrieveCommand({
        knowledgeBaseId,
        retrievalQuery: { text: 'espresso' },
        retrievalConfiguration: {
          vectorSearchConfiguration: {
            rerankingConfiguration: {
              type: 'BEDROCK_RERANKING_MODEL',
              bedrockRerankingConfiguration: {
                modelConfiguration: { modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/amazon.rerank-v1:0' },
                numberOfRerankedResults: 1,
              },
            },
          },
        },
      }),
    );
    assert.deepEqual(
      retrievalResults?.map(({ location }) => location?.customDocumentLocation?.id),
      ['coffee.md'],
    );
  });

  const claude = 'anthropic.claude-3-haiku-20240307-v1:0';
  const asked = (generationConfiguration: GenerationConfiguration = {}, model = claude) => ({
    input: { text: 'How long is parental leave in Japan?' },
    retrieveAndGenerateConfiguration: {
      type: 'KNOWLEDGE_BASE' as const,
      knowledgeBaseConfiguration: {
        knowledgeBaseId,
        generationConfiguration,
        modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${model}`,
      },
    },
  });

  it('answers with citations, at once and as it comes', async () => {
    const { output, citations, sessionId } = await client.send(new RetrieveAndGenerateCommand(asked()));
    assert.match(output?.text ?? '', /52 weeks/);
    assert.ok(sessionId);
    const [citation] = citations ?? [];
    const { text, span } = citation?.generatedResponsePart?.textResponsePart ?? {};
    assert.equal(output?.text?.slice(span?.start, (span?.end ?? 0) + 1), text);
    assert.match(citation?.retrievedReferences?.[0]?.content?.text ?? '', /52 weeks/);
    assert.equal(citation?.retrievedReferences?.[0]?.metadata?.country, 'JP');

    const { stream, sessionId: other } = await client.send(new RetrieveAndGenerateStreamCommand(asked()));
    assert.ok(other);
    let streamed = '';
    let cited = 0;
    for await (const event of stream ?? []) {
      streamed += event.output?.text ?? '';
      if (event.citation?.generatedResponsePart) cited += 1;
    }
    assert.deepEqual([streamed, cited], [output?.text, citations?.length]);
  });

  it('answers from the passages that a reranking model puts first', async () => {
    const by = (numberOfResults: number, more: object = {}, bedrock: object = {}) => {
      const { input, retrieveAndGenerateConfiguration } = asked({}, 'chat');
      const { knowledgeBaseConfiguration } = retrieveAndGenerateConfiguration;
      const rerankingConfiguration = {
        type: 'BEDROCK_RERANKING_MODEL' as const,
        bedrockRerankingConfiguration: {
          modelConfiguration: { modelArn: 'arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0', ...more },
          numberOfRerankedResults: 1,
          ...bedrock,
        },
      };
      const retrievalConfiguration = { vectorSearchConfiguration: { numberOfResults, rerankingConfiguration } };
      const configuration = { ...knowledgeBaseConfiguration, retrievalConfiguration };
      return new RetrieveAndGenerateCommand({
        input,
        retrieveAndGenerateConfiguration: { type: 'KNOWLEDGE_BASE', knowledgeBaseConfiguration: configuration },
      });
    };
    const passages = () => [
      ...(chat.sent
        .at(-1)
        ?.at(-1)
        ?.content.matchAll(/<passage .*?source="([^"]+)"/g) ?? []),
    ];
    for (const numberOfResults of [1, 3]) {
      rerankedTexts = 0;
      await client.send(by(numberOfResults));
      assert.equal(rerankedTexts, numberOfResults);
      // The last of them is the one that this reranker likes best.
      assert.deepEqual(
        passages().map(([, source]) => source),
        [numberOfResults === 1 ? 'leave-jp.md' : 'coffee.md'],
      );
    }
    await assert.rejects(client.send(by(3, { additionalModelRequestFields: { a: 1 } })), {
      name: 'ValidationException',
      message: /additionalModelRequestFields/,
    });
    await assert.rejects(client.send(by(3, {}, { metadataConfiguration: { selectionMode: 'ALL' } })), {
      name: 'ValidationException',
      message: /metadataConfiguration/,
    });
  });

  it('hands on how the model is to choose its words and where to stop', async () => {
    const by = (textInferenceConfig: TextInferenceConfig) => asked({ inferenceConfig: { textInferenceConfig } });
    const settings = { temperature: 0.2, topP: 0.9, maxTokens: 300, stopSequences: ['weeks'] };
    const { output } = await client.send(new RetrieveAndGenerateCommand(by(settings)));
    assert.match(output?.text ?? '', /may take 52$/);
    const { stream } = await client.send(new RetrieveAndGenerateStreamCommand(by(settings)));
    let text = '';
    for await (const event of stream ?? []) text += event.output?.text ?? '';
    assert.equal(text, output?.text);
    for (const wrong of [{ topP: 1.5 }, { stopSequences: ['a', 'b', 'c', 'd', 'e'] }]) {
      await assert.rejects(client.send(new RetrieveAndGenerateCommand(by(wrong))), {
        name: 'ValidationException',
        message: /topP|stopSequences/,
      });
    }
  });

  it('asks the model by a prompt of the caller, and still cites', async () => {
    const by = (textPromptTemplate: string, model?: string) => asked({ promptTemplate: { textPromptTemplate } }, model);
    const template = 'Talk like a pirate.\nResults: $search_results$\n$output_format_instructions$\nAsked: $query$';
    const { output, citations } = await client.send(new RetrieveAndGenerateCommand(by(template, 'chat')));
    assert.equal(output?.text, 'Arr, 52 weeks of parental leave.');
    assert.match(citations?.[0]?.retrievedReferences?.[0]?.content?.text ?? '', /52 weeks/);
    const user = chat.sent.at(-1)?.find(({ role }) => role === 'user')?.content ?? '';
    assert.match(user, /^Talk like a pirate\.\nResults: <passages>\n<passage number="1" source="leave-jp\.md"/);
    assert.match(
      user,
      /<\/passages>\n- End every sentence with the numbers .*\nAsked: How long is parental leave in Japan\?$/s,
    );
    assert.ok(!user.includes('$'));

    const { stream } = await client.send(
      new RetrieveAndGenerateStreamCommand(by('Be brief. $search_results$', 'chat')),
    );
    let cited = 0;
    for await (const event of stream ?? []) if (event.citation) cited += 1;
    assert.equal(cited, 1);
    const brief = chat.sent.at(-1)?.find(({ role }) => role === 'user')?.content ?? '';
    assert.match(brief, /^Be brief\. <passages>.*<question>How long is parental leave in Japan\?<\/question>$/s);

    const quoted = await client.send(new RetrieveAndGenerateCommand(by(template)));
    assert.match(quoted.output?.text ?? '', /^Full-time employees in Japan/);
    await assert.rejects(client.send(new RetrieveAndGenerateCommand(by('Answer $query$', 'chat'))), {
      name: 'ValidationException',
      message: /\$search_results\$/,
    });
  });

  it('takes such a prompt in the API of our own', async () => {
    const by = (promptTemplate: string, more: object = {}) =>
      native.post('/v1/knowledge-bases/default/ask', { question: 'How long is it?', promptTemplate, ...more });
    const { answer } = await json(await by('Be brief. $search_results$', { model: 'openai:chat', topP: 0.5 }));
    assert.equal(answer, 'Arr, 52 weeks of parental leave.');
    assert.match(chat.sent.at(-1)?.at(-1)?.content ?? '', /^Be brief\. <passages>/);
    const refused = await by('Answer $query$');
    assert.deepEqual([refused.status, (await json(refused)).error.code], [400, 'invalid-options']);
  });

  it('goes on with a session, at once and as it comes', async () => {
    const first = await client.send(new RetrieveAndGenerateCommand(asked()));
    const { sessionId } = first;
    const followUp = { ...asked(), sessionId, input: { text: 'And in Germany?' } };
    const second = await client.send(new RetrieveAndGenerateCommand(followUp));
    assert.match(second.output?.text ?? '', /three years/);
    assert.equal(second.sessionId, sessionId);

    const again = await client.send(
      new RetrieveAndGenerateStreamCommand({ ...followUp, input: { text: 'And in Japan?' } }),
    );
    let text = '';
    for await (const event of again.stream ?? []) text += event.output?.text ?? '';
    assert.match(text, /52 weeks/);
    assert.equal(again.sessionId, sessionId);

    const alone = await client.send(new RetrieveAndGenerateCommand({ ...asked(), input: { text: 'And in Germany?' } }));
    assert.notEqual(alone.sessionId, sessionId);
  });

  it('goes on with a session that the API of our own began', async () => {
    const ask = async (question: string, session: string) =>
      json(await native.post('/v1/knowledge-bases/default/ask', { question, session }));
    const first = await ask('How long is parental leave in Japan?', 'new');
    assert.match(first.answer, /52 weeks/);
    const second = await ask('And in Germany?', first.sessionId);
    assert.match(second.answer, /three years/);
    assert.equal(second.question, 'And in Germany?');
    assert.equal(second.standaloneQuestion, 'How long is parental leave in Germany?');
    const bedrock = await client.send(
      new RetrieveAndGenerateCommand({ ...asked(), input: { text: 'And in Japan?' }, sessionId: first.sessionId }),
    );
    assert.match(bedrock.output?.text ?? '', /52 weeks/);
    const refused = await native.post('/v1/knowledge-bases/default/ask', { question: 'x', session: 'not-there' });
    assert.deepEqual([refused.status, (await json(refused)).error.code], [404, 'session-not-found']);
  });

  it('refuses as Bedrock does, and says what it does not do', async () => {
    const refused = (configuration: object, pattern: RegExp, more: object = {}) =>
      assert.rejects(
        client.send(
          new RetrieveCommand({
            knowledgeBaseId,
            retrievalQuery: { text: 'leave' },
            retrievalConfiguration: configuration,
            ...more,
          }),
        ),
        (error: Error) => error.name === 'ValidationException' && pattern.test(error.message),
      );
    await refused({ vectorSearchConfiguration: { numberOfResults: 101 } }, /numberOfResults/);
    await refused(
      { vectorSearchConfiguration: { filter: { andAll: [{ equals: { key: 'a', value: 1 } }] } } },
      /greater than or equal to 2/,
    );
    await refused({ managedSearchConfiguration: {} }, /not supported/);
    await refused({}, /guardrail/, { guardrailConfiguration: { guardrailId: 'a', guardrailVersion: '1' } });
    await refused({}, /nextToken/, { nextToken: 'nonsense' });
    await assert.rejects(
      client.send(new RetrieveCommand({ knowledgeBaseId: 'NOTTHERE00', retrievalQuery: { text: 'a' } })),
      {
        name: 'ResourceNotFoundException',
      },
    );
    await assert.rejects(client.send(new RetrieveAndGenerateCommand({ ...asked(), sessionId: 'a-session' })), {
      name: 'ValidationException',
      message: /Session with Id "a-session" is not valid/,
    });
  });
});
