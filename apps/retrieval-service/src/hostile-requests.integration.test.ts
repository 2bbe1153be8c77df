import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';
import { json, type StartedNative, startNative } from './testing/native-fixture.js';

const base = '/v1/knowledge-bases/default';
const mebibyte = 2 ** 20;

/** A ZIP file with these entries (APPNOTE.TXT 6.3.10, 4.3). */
async function zipOf(entries: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, content] of Object.entries(entries)) {
    const name = Buffer.from(path);
    const packed = await promisify<Buffer, Buffer>(deflateRaw)(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, name]));
    locals.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, listed, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

const contentTypes = Buffer.from(
  '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
);
const wordOf = (text: Buffer): Promise<Buffer> =>
  zipOf({
    '[Content_Types].xml': contentTypes,
    'word/document.xml': Buffer.concat([
      Buffer.from(
        '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>',
      ),
      text,
      Buffer.from('</w:t></w:r></w:p></w:body></w:document>'),
    ]),
  });

describe('requests that mean harm', () => {
  let native: StartedNative;
  before(async () => {
    native = await startNative();
    assert.equal((await native.post('/v1/knowledge-bases', { name: 'default' })).status, 201);
  });
  after(async () => {
    await native.close();
    assert.deepEqual(native.failures, []);
  });
  const sendFile = (name: string, content: Buffer) => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(content)]), name);
    return native.send(`${base}/documents`, { method: 'POST', body: form });
  };

  it('with bodies that are too large are refused before they are held', async () => {
    const headers = { 'content-type': 'application/json' };
    const huge = Buffer.alloc(26 * mebibyte, 0x20);
    for (const path of [`${base}/search`, `${base}/documents`, '/v1/chat/completions', '/mcp']) {
      const answer = await native.send(path, { method: 'POST', headers, body: huge });
      const { code, message } = (await json(answer)).error;
      assert.deepEqual([answer.status, code], [413, 'too-large'], path);
      assert.match(message, /25000000 bytes/);
    }
    // As Bedrock says it.
    const model = '/model/amazon.titan-embed-text-v2:0/invoke';
    const answer = await native.send(model, { method: 'POST', headers, body: huge });
    assert.deepEqual([answer.status, answer.headers.get('x-amzn-errortype')], [400, 'ValidationException']);
    assert.match(await answer.text(), /length/);
    const tooLarge = await sendFile('large.txt', Buffer.alloc(mebibyte + 1, 0x61));
    assert.equal(tooLarge.status, 400);
    assert.match((await json(tooLarge)).error.message, /large\.txt has more than 1048576 bytes/);
  });

  it('with bodies that break off are not acted upon', async () => {
    const before = await json(await native.send(`${base}/documents`));
    const { hostname, port } = new URL(native.endpoint);
    const text = '{"documents":[{"name":"half.md","text":"half"}]}';
    for (const head of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      const body = head.startsWith('Transfer') ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
      socket.end(
        `POST ${base}/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${head}\r\n\r\n${body}`,
      );
      socket.resume();
      await new Promise((resolve) => socket.on('close', resolve));
    }
    assert.deepEqual(await json(await native.send(`${base}/documents`)), before);
  });

  it('of another type, nested deeply, or with numbers and keys that are none are refused', async () => {
    const post = (path: string, type: string, body: string) =>
      native.send(path, { method: 'POST', headers: { 'content-type': type }, body });
    const deep = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
    const bodies: [path: string, type: string, body: string, status: number][] = [
      [`${base}/search`, 'text/plain', 'query', 415],
      [`${base}/search`, 'application/xml', '<query/>', 415],
      [`${base}/documents`, 'multipart/form-data', 'no boundary', 400],
      [`${base}/search`, 'application/json', deep(200_000, '[', ']'), 400],
      [`${base}/search`, 'application/json', `{"query":"a","filter":${deep(50_000, '{"andAll":[', ']}')}}`, 400],
      [
        `${base}/documents`,
        'application/json',
        `{"documents":[{"name":"a.md","text":"a","metadata":${deep(50_000, '{"a":', '}')}}]}`,
        400,
      ],
      [`${base}/search`, 'application/json', '{"query":"a","limit":1e999}', 400],
      [`${base}/search`, 'application/json', '{"query":"a","__proto__":{"limit":1},"constructor":1}', 400],
      ['/v1/chat/completions', 'application/json', deep(200_000, '[', ']'), 400],
      ['/model/amazon.titan-embed-text-v2:0/invoke', 'application/json', deep(200_000, '[', ']'), 400],
      ['/mcp', 'application/json', deep(200_000, '[', ']'), 406],
    ];
    for (const [path, type, body, status] of bodies) {
      const answer = await post(path, type, body);
      assert.equal(answer.status, status, `${path} ${body.slice(0, 80)}: ${await answer.clone().text()}`);
      await answer.text();
    }
    assert.equal((await native.post(`${base}/search`, { query: 'still there?' })).status, 200);
  });

  it('with names that lead elsewhere leave nothing there', async () => {
    const names = [
      '../outside.txt',
      '/etc/outside.txt',
      'a/../../outside.txt',
      '..\\outside.txt',
      'C:\\outside.txt',
      'a//outside.txt',
      '.hidden.txt',
      'a/.incoming/outside.txt',
      'outside.txt\u0000.md',
      'outside.txt.metadata.json',
      `${'a/'.repeat(600)}outside.txt`,
    ];
    const before = readdirSync(native.folder).sort();
    for (const name of names) {
      const text = await native.post(`${base}/documents`, { documents: [{ name, text: 'x' }] });
      assert.equal(text.status, 400, name);
      const form = Buffer.from(
        `--b\r\ncontent-disposition: form-data; name="file"; filename="${name.replaceAll('\\', '\\\\')}"\r\n\r\nx\r\n--b--\r\n`,
      );
      const file = await native.send(`${base}/documents`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: new Uint8Array(form),
      });
      assert.equal(file.status, 400, `${name}: ${await file.clone().text()}`);
    }
    assert.deepEqual(readdirSync(native.folder).sort(), before);
    const left = readdirSync(native.uploadFolder, { recursive: true }).map(String);
    assert.deepEqual(
      left.filter((name) => name.includes('outside')),
      [],
    );
  });

  it('with files that unpack to a thousand times their size fail alone', async () => {
    const bomb = await wordOf(Buffer.alloc(300 * mebibyte, 0x61));
    assert.ok(bomb.length < mebibyte, `${bomb.length} bytes`);
    const job = await native.finished(await sendFile('bomb.docx', bomb));
    assert.equal(job.status, 'partially-succeeded');
    assert.deepEqual(
      job.failures.map(({ source }: { source: string }) => source),
      ['bomb.docx'],
    );
    const good = await native.finished(await sendFile('good.docx', await wordOf(Buffer.from('Leave is 52 weeks.'))));
    assert.equal(good.status, 'succeeded');
    const found = await json(await native.post(`${base}/search`, { query: 'leave' }));
    assert.match(found.matches[0].text, /52 weeks/);
  });
});
