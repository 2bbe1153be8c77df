import assert from 'node:assert/strict';

/** Words that the built-in answerer finds in the passages below. */
export const answer = /Parental leave in Japan is 52 weeks\./;

const question = 'How long is parental leave in Japan?';
/** As Aquifer's own prompts are. */
export const prompt = `<passages>
<passage number="1" source="leave.md" title="Leave &amp; absence" section="Leave › Parental">
Parental leave in Japan is 52 weeks. It is announced one month before it begins.
</passage>
<passage number="2" source="printers.md">
The printer on the second floor is out of paper.
</passage>
</passages>

<question>${question}</question>`;
const png = Buffer.from('not really a picture, but bytes').toString('base64');
const system = 'Answer from the passages. Cite them as [1].';

// biome-ignore lint/suspicious/noExplicitAny: a test takes what it expects to be there, and fails where it is not
type Body = any;

export interface ModelCase {
  readonly modelId: string;
  readonly body: object;
  check(body: Body): void;
  /** The words of a chunk of the stream, where the model streams. */
  readonly chunkText?: (chunk: Body) => string | undefined;
}

const isVector = (vector: unknown, dimensions: number) => {
  assert.ok(Array.isArray(vector));
  assert.equal(vector.length, dimensions);
  const length = Math.sqrt(vector.reduce((sum: number, value: number) => sum + value * value, 0));
  assert.ok(Math.abs(length - 1) < 1e-4, `length ${length}`);
};
const isPicture = (base64: string) => assert.equal(Buffer.from(base64, 'base64').toString('latin1', 1, 4), 'PNG');

/** One request in the body format of each family, and what must come back. */
export const modelCases: readonly ModelCase[] = [
  {
    modelId: 'amazon.titan-embed-text-v1',
    body: { inputText: question },
    check(body) {
      isVector(body.embedding, 1536);
      assert.deepEqual(Object.keys(body), ['embedding', 'inputTextTokenCount']);
    },
  },
  {
    modelId: 'amazon.titan-embed-text-v2:0',
    body: { inputText: question, dimensions: 256, normalize: true, embeddingTypes: ['float', 'binary'] },
    check(body) {
      isVector(body.embedding, 256);
      assert.deepEqual(body.embeddingsByType.float, body.embedding);
      assert.deepEqual(
        body.embeddingsByType.binary,
        body.embedding.map((value: number) => (value > 0 ? 1 : 0)),
      );
      assert.equal(body.inputTextTokenCount, 9);
    },
  },
  {
    modelId: 'amazon.titan-embed-text-v2:0',
    body: { inputText: question, embeddingTypes: ['binary'] },
    check(body) {
      assert.equal(body.embedding, undefined);
      assert.equal(body.embeddingsByType.binary.length, 1024);
    },
  },
  {
    modelId: 'amazon.titan-embed-image-v1',
    body: { inputText: question, inputImage: png, embeddingConfig: { outputEmbeddingLength: 384 } },
    check(body) {
      assert.equal(body.embedding.length, 384);
      assert.equal(body.message, null);
    },
  },
  {
    modelId: 'cohere.embed-multilingual-v3',
    body: { texts: [question, '育児休業'], input_type: 'search_document' },
    check(body) {
      assert.equal(body.embeddings.length, 2);
      for (const vector of body.embeddings) isVector(vector, 1024);
      assert.deepEqual([body.response_type, body.texts], ['embeddings_floats', [question, '育児休業']]);
    },
  },
  {
    modelId: 'cohere.embed-english-v3',
    body: { texts: [question], input_type: 'search_query', embedding_types: ['float', 'int8', 'ubinary'] },
    check(body) {
      isVector(body.embeddings.float[0], 1024);
      assert.ok(body.embeddings.int8[0].every((value: number) => Number.isInteger(value) && Math.abs(value) <= 127));
      assert.equal(body.embeddings.ubinary[0].length, 128);
      assert.equal(body.response_type, 'embeddings_by_type');
    },
  },
  {
    modelId: 'us.anthropic.claude-sonnet-4-20250514-v1:0',
    body: {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 300,
      system: [{ type: 'text', text: system }],
      messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    },
    check(body) {
      assert.match(body.content[0].text, answer);
      assert.match(body.content[0].text, /\[1\]/);
      assert.deepEqual([body.type, body.role, body.stop_reason], ['message', 'assistant', 'end_turn']);
      assert.ok(body.usage.input_tokens > 50 && body.usage.output_tokens > 5);
    },
    chunkText: (chunk) => chunk.delta?.text,
  },
  {
    modelId: 'anthropic.claude-v2:1',
    body: { prompt: `\n\nHuman: ${system}\n\n${prompt}\n\nAssistant:`, max_tokens_to_sample: 300 },
    check(body) {
      assert.match(body.completion, answer);
      assert.deepEqual([body.stop_reason, body.stop], ['stop_sequence', '\n\nHuman:']);
    },
    chunkText: (chunk) => chunk.completion,
  },
  {
    modelId: 'ai21.j2-ultra-v1',
    body: { prompt: `${system}\n\n${prompt}\n\nAnswer:`, maxTokens: 300, countPenalty: { scale: 0 } },
    check(body) {
      const [completion] = body.completions;
      assert.match(completion.data.text, answer);
      assert.deepEqual(completion.finishReason, { reason: 'endoftext' });
      assert.equal(typeof body.id, 'number');
    },
  },
  {
    modelId: 'ai21.jamba-1-5-mini-v1:0',
    body: {
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: prompt },
      ],
      max_tokens: 300,
    },
    check(body) {
      assert.match(body.choices[0].message.content, answer);
      assert.equal(body.choices[0].finish_reason, 'stop');
      assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens);
    },
    chunkText: (chunk) => chunk.choices[0].delta.content,
  },
  {
    modelId: 'amazon.titan-text-express-v1',
    body: { inputText: `User: ${system}\n\n${prompt}\nBot:`, textGenerationConfig: { maxTokenCount: 300 } },
    check(body) {
      assert.match(body.results[0].outputText, answer);
      assert.equal(body.results[0].completionReason, 'FINISH');
    },
    chunkText: (chunk) => chunk.outputText,
  },
  {
    modelId: 'amazon.nova-lite-v1:0',
    body: {
      schemaVersion: 'messages-v1',
      system: [{ text: system }],
      messages: [{ role: 'user', content: [{ text: prompt }] }],
      inferenceConfig: { maxTokens: 300 },
    },
    check(body) {
      assert.match(body.output.message.content[0].text, answer);
      assert.equal(body.stopReason, 'end_turn');
    },
    chunkText: (chunk) => chunk.contentBlockDelta?.delta.text,
  },
  {
    modelId: 'stability.stable-diffusion-xl-v1',
    body: { text_prompts: [{ text: 'a lighthouse' }, { text: 'fog', weight: -1 }], seed: 7, steps: 30 },
    check(body) {
      isPicture(body.artifacts[0].base64);
      assert.deepEqual(
        [body.result, body.artifacts[0].finishReason, body.artifacts[0].seed],
        ['success', 'SUCCESS', 7],
      );
    },
  },
  {
    modelId: 'stability.stable-image-core-v1:1',
    body: { prompt: 'a lighthouse', aspect_ratio: '16:9', seed: 7, output_format: 'png' },
    check(body) {
      isPicture(body.images[0]);
      assert.deepEqual([body.seeds, body.finish_reasons], [[7], [null]]);
    },
  },
  ...['amazon.titan-image-generator-v2:0', 'amazon.nova-canvas-v1:0'].map((modelId) => ({
    modelId,
    body: {
      taskType: 'TEXT_IMAGE',
      textToImageParams: { text: 'a lighthouse' },
      imageGenerationConfig: { numberOfImages: 2, width: 512, height: 512, seed: 1 },
    },
    check(body: Body) {
      assert.equal(body.images.length, 2);
      for (const image of body.images) isPicture(image);
      assert.notEqual(body.images[0], body.images[1]);
      assert.equal(body.error, null);
    },
  })),
  ...[
    { modelId: 'cohere.rerank-v3-5:0', more: { api_version: 2 } },
    { modelId: 'amazon.rerank-v1:0', more: {} },
  ].map(({ modelId, more }) => ({
    modelId,
    body: {
      query: question,
      documents: ['The printer is out of paper.', 'Parental leave is 52 weeks.', 'Menu'],
      top_n: 2,
      ...more,
    },
    check(body: Body) {
      assert.equal(body.results.length, 2);
      assert.equal(body.results[0].index, 1);
      assert.ok(body.results[0].relevance_score > body.results[1].relevance_score);
    },
  })),
];

/** Requests that each family refuses, and the words in which Bedrock does. */
export const refusedBodies: readonly (readonly [modelId: string, body: unknown, message: RegExp])[] = [
  ['amazon.titan-embed-text-v1', {}, /#: required key \[inputText\] not found/],
  [
    'amazon.titan-embed-text-v1',
    { inputText: 'x', dimensions: 512 },
    /#: extraneous key \[dimensions\] is not permitted/,
  ],
  ['amazon.titan-embed-text-v2:0', { inputText: 'x', dimensions: 300 }, /#\/dimensions: 300 is not a valid enum value/],
  ['amazon.titan-embed-text-v2:0', { inputText: 5 }, /#\/inputText: expected type: String, found: Integer/],
  ['amazon.titan-embed-text-v2:0', { inputText: '' }, /#\/inputText: expected minLength: 1, actual: 0/],
  [
    'amazon.titan-embed-text-v2:0',
    { inputText: 'word '.repeat(7_000) },
    /Too many input tokens\. Max input tokens: 8192, request input token count: 8750/,
  ],
  ['amazon.titan-embed-text-v2:0', { inputText: 'a'.repeat(50_001) }, /expected maxLength: 50000, actual: 50001/],
  ['amazon.titan-embed-image-v1', {}, /required key \[inputText\] or \[inputImage\]/],
  ['amazon.titan-embed-image-v1', { inputImage: '!' }, /inputImage/],
  ['cohere.embed-english-v3', { texts: ['x'] }, /required key \[input_type\]/],
  [
    'cohere.embed-english-v3',
    { texts: Array(97).fill('x'), input_type: 'search_query' },
    /#\/texts: expected maximum item count: 96, found: 97/,
  ],
  ['cohere.embed-english-v3', { texts: ['あ'.repeat(600)], input_type: 'search_query' }, /too many tokens/],
  ['anthropic.claude-3-haiku-20240307-v1:0', { max_tokens: 5, messages: [] }, /anthropic_version: Field required/],
  [
    'anthropic.claude-3-haiku-20240307-v1:0',
    { anthropic_version: 'bedrock-2023-05-31', messages: [{ role: 'user', content: 'x' }] },
    /max_tokens: Field required/,
  ],
  [
    'anthropic.claude-3-haiku-20240307-v1:0',
    { anthropic_version: 'bedrock-2023-05-31', max_tokens: 5, messages: [] },
    /messages: at least one message is required/,
  ],
  [
    'anthropic.claude-3-haiku-20240307-v1:0',
    { anthropic_version: 'bedrock-2023-05-31', max_tokens: 5, model: 'x', messages: [{ role: 'user', content: 'x' }] },
    /model: Extra inputs are not permitted/,
  ],
  [
    'anthropic.claude-3-haiku-20240307-v1:0',
    {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'smell' }] }],
    },
    /messages\.0\.content\.0: Input tag 'smell' found/,
  ],
  [
    'anthropic.claude-3-haiku-20240307-v1:0',
    {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 5,
      temperature: 2,
      messages: [{ role: 'user', content: 'x' }],
    },
    /temperature: range: 0\.\.1/,
  ],
  ['anthropic.claude-instant-v1', { prompt: 'Hello', max_tokens_to_sample: 5 }, /prompt must end with/],
  ['anthropic.claude-instant-v1', { prompt: '\n\nHuman: x\n\nAssistant:' }, /max_tokens_to_sample: Field required/],
  ['ai21.j2-mid-v1', { prompt: 'x', maxTokens: 9_000 }, /#\/maxTokens: 9000 is not less or equal to 8191/],
  [
    'ai21.j2-mid-v1',
    { prompt: 'x', countPenalty: { scale: 2 } },
    /#\/countPenalty\/scale: 2 is not less or equal to 1/,
  ],
  ['ai21.jamba-instruct-v1:0', { messages: [] }, /#\/messages: expected minimum item count: 1, found: 0/],
  [
    'amazon.titan-text-lite-v1',
    { inputText: 'x', textGenerationConfig: { maxTokenCount: 5_000 } },
    /#\/textGenerationConfig\/maxTokenCount: 5000 is not less or equal to 4096/,
  ],
  [
    'amazon.nova-pro-v1:0',
    { messages: [{ role: 'user', content: [{ text: 'x' }] }], max_tokens: 5 },
    /extraneous key \[max_tokens\]/,
  ],
  ['stability.stable-diffusion-xl-v1', { text_prompts: [{ text: 'x' }], width: 500 }, /allowed dimensions are/],
  ['stability.sd3-5-large-v1:0', { prompt: 'x', output_format: 'jpeg' }, /png files only/],
  [
    'amazon.titan-image-generator-v1',
    { taskType: 'TEXT_IMAGE', textToImageParams: {} },
    /#\/textToImageParams: required key \[text\]/,
  ],
  ['cohere.rerank-v3-5:0', { query: 'x', documents: ['y'] }, /required key \[api_version\]/],
  ['meta.llama3-1-70b-instruct-v1:0', { prompt: 'x' }, /through Converse and ConverseStream only/],
  ['nobody.knows-v1', { prompt: 'x' }, /The provided model identifier is invalid/],
  [
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123@amazon.titan-embed-text-v1',
    { inputText: 'x' },
    /The provided model identifier is invalid/,
  ],
];
