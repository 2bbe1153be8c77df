import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fixedKeys } from '../testing/fixed-keys.js';
import { json, type StartedNative, startNative } from '../testing/native-fixture.js';

const secretOf = (name: string) => `secret-of-${name}`;
const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: secretOf(accessKeyId) });
const as = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });
const question = 'How long is parental leave in Japan?';

describe("the API of OpenAI's clients", () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative({
      keys: fixedKeys([key('OWNER'), { ...key('READER'), scopes: ['read'] }, { ...key('STRANGER'), tenant: 'other' }]),
    });
    await native.post('/v1/knowledge-bases', { name: 'default' }, as('OWNER'));
    const documents = [
      { name: 'leave.md', text: '# Leave\n\nParental leave in Japan is 52 weeks.' },
      { name: 'germany.md', text: '# Germany\n\nParental leave in Germany is 156 weeks.' },
    ];
    const sent = await native.post('/v1/knowledge-bases/default/documents', { documents }, as('OWNER'));
    const { job } = await json(sent);
    await (await native.send(`/v1/jobs/${job.id}/events`, { headers: as('OWNER') })).text();
  });
  after(() => native.close());

  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: question }] },
  ];

  it('lists knowledge bases as models, to each tenant its own', async () => {
    const { data } = await json(await native.send('/v1/models', { headers: as('READER') }));
    assert.deepEqual(
      data.map(({ id, object }: { id: string; object: string }) => [id, object]),
      [['default', 'model']],
    );
    assert.deepEqual((await json(await native.send('/v1/models', { headers: as('STRANGER') }))).data, []);
    const refused = await native.post('/v1/chat/completions', { model: 'default', messages }, as('STRANGER'));
    assert.equal(refused.status, 404);
  });

  it('answers with citations, whole and streamed alike', async () => {
    const body = { model: 'default', messages, max_tokens: 300, temperature: 0, top_p: 1, user: 'someone' };
    const answer = await json(await native.post('/v1/chat/completions', body, as('READER')));
    const [{ message, finish_reason }] = answer.choices;
    assert.equal(answer.object, 'chat.completion');
    assert.equal(finish_reason, 'stop');
    assert.match(message.content, /52 weeks/);
    const { start_index, end_index, url, title } = message.annotations[0].url_citation;
    assert.match(message.content.slice(start_index, end_index), /52 weeks/);
    assert.equal(title, 'Leave');
    assert.match(await (await native.send(url, { headers: as('READER') })).text(), /52 weeks/);
    assert.equal(answer.citations[0].references[0].verified, true);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);

    const streamed = await native.post(
      '/v1/chat/completions',
      { ...body, stream: true, stream_options: { include_usage: true } },
      as('READER'),
    );
    assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
    const blocks = (await streamed.text()).trim().split('\n\n');
    assert.equal(blocks.pop(), 'data: [DONE]');
    const chunks = blocks.map((block) => JSON.parse(block.slice('data: '.length)));
    assert.ok(chunks.every(({ object, id }) => object === 'chat.completion.chunk' && id === chunks[0].id));
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }: { delta: object }) => delta));
    assert.equal(deltas.map(({ content = '' }) => content).join(''), message.content);
    assert.deepEqual(
      deltas.flatMap(({ annotations = [] }) => annotations),
      message.annotations,
    );
    assert.deepEqual(chunks.at(-1).usage, answer.usage);
    assert.deepEqual(chunks.at(-2).citations, answer.citations);
    assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
  });

  it('reads the messages before as the conversation that the question leans on', async () => {
    const said = (role: string, content: unknown) => ({ role, content });
    const before = [
      said('assistant', 'What would you like to know?'),
      ...messages,
      said('assistant', null),
      said('tool', 'Nothing of the user.'),
      said('assistant', 'It is 52 weeks.'),
    ];
    const followUp = said('user', 'And in Germany?');
    const answerTo = async (asked: object[]) => {
      const body = { model: 'default', messages: asked };
      const { choices } = await json(await native.post('/v1/chat/completions', body, as('READER')));
      return choices[0].message.content;
    };
    const whole = await answerTo([said('user', 'How long is parental leave in Germany?')]);
    assert.match(whole, /156 weeks/);
    assert.equal(await answerTo([...before, followUp]), whole);
    const stopping = { model: 'default', messages: [...before, followUp], stop: 'weeks', top_p: 0.5 };
    const stopped = await json(await native.post('/v1/chat/completions', stopping, as('READER')));
    assert.equal(stopped.choices[0].message.content, whole.slice(0, whole.indexOf('weeks')).trimEnd());
    assert.equal(stopped.standaloneQuestion, 'How long is parental leave in Germany?');
    const streamed = await native.post('/v1/chat/completions', { ...stopping, stream: true }, as('READER'));
    assert.match(await streamed.text(), /"standaloneQuestion":"How long is parental leave in Germany\?"/);
    const leaning = [...before, followUp, said('assistant', whole), said('user', 'How many weeks is it there?')];
    assert.match(await answerTo(leaning), /156 weeks/);
  });

  it('embeds as the knowledge base does, as numbers and as Base64', async () => {
    const input = ['parental leave', 'coffee machine'];
    const numbers = await json(await native.post('/v1/embeddings', { model: 'default', input }, as('OWNER')));
    assert.deepEqual(
      numbers.data.map(({ index }: { index: number }) => index),
      [0, 1],
    );
    assert.ok(numbers.usage.prompt_tokens > 0);
    const packed = await json(
      await native.post('/v1/embeddings', { model: 'default', input, encoding_format: 'base64' }, as('OWNER')),
    );
    const bytes = Buffer.from(packed.data[1].embedding, 'base64');
    const vector = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    assert.deepEqual([...vector], numbers.data[1].embedding);
    const refused = await native.post('/v1/embeddings', { model: 'default', input }, as('READER'));
    assert.equal(refused.status, 403);
  });

  it('says what is wrong', async () => {
    const wrong: [object, number][] = [
      [{ model: 'default', messages: [] }, 400],
      [{ model: 'default', messages: [{ role: 'system', content: 'x' }] }, 400],
      [{ model: 'default', messages, n: 2 }, 400],
      [{ model: 'default', messages, top_p: 2 }, 400],
      [{ model: 'default', messages, stop: ['a', 'b', 'c', 'd', 'e'] }, 400],
      [{ model: 'nobody', messages }, 404],
    ];
    for (const [body, status] of wrong) {
      const answer = await native.post('/v1/chat/completions', body, as('OWNER'));
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.equal(typeof (await json(answer)).error.message, 'string');
    }
    const tooShort = { model: 'default', input: 'a', dimensions: 7 };
    assert.equal((await native.post('/v1/embeddings', tooShort, as('OWNER'))).status, 400);
  });
});
