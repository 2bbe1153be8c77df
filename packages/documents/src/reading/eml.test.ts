import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outline, readSample } from '../testing/document-outline.js';
import { encodeText } from '../testing/encode-text.js';
import { emlReader } from './eml.js';

const head =
  'From: =?utf-8?B?5bGx55Sw?= <yamada@example.jp>\r\nTo: Ann <ann@example.org>, bob@example.org\r\nSubject: Leave in 2025\r\nDate: Tue, 4 Mar 2025 09:30:00 +0900\r\nMessage-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\n';

const part = (headers: string, body: string) => `--cut\r\n${headers}\r\n\r\n${body}\r\n`;
const multipart = (kind: string, ...parts: string[]) =>
  `${head}Content-Type: multipart/${kind}; boundary=cut\r\n\r\n${parts.join('')}--cut--\r\n`;

describe('emlReader', () => {
  it('reads subject, people, time and body, with what is quoted', async () => {
    const mail = `${head}Content-Type: text/plain; charset=utf-8\r\n\r\nYes, it is.\r\n\r\n> Is leave 52 weeks?\r\n>> Please ask Yamada.\r\n`;
    const document = await readSample(emlReader, mail, 'a.eml');
    assert.deepEqual(outline(document), [
      'heading 1: Leave in 2025',
      'paragraph: From: 山田 <yamada@example.jp>\nTo: Ann <ann@example.org>, bob@example.org\nDate: 2025-03-04 00:30',
      'paragraph: Yes, it is.',
      'paragraph: Is leave 52 weeks?\nPlease ask Yamada.',
    ]);
    assert.equal(document.title, 'Leave in 2025');
    assert.deepEqual(document.metadata, {
      from: '山田 <yamada@example.jp>',
      to: ['Ann <ann@example.org>', 'bob@example.org'],
      date: '2025-03-04T00:30:00.000Z',
      messageId: '<1@example.jp>',
    });
    assert.equal(document.attachments, undefined);
  });

  it('reads the body as HTML where there is no text, or only a word of it', async () => {
    const html = part(
      'Content-Type: text/html; charset=utf-8',
      '<h2>Plan</h2><p>A long letter about the plan of this year.<ul><li>one</ul>',
    );
    for (const mail of [
      multipart('alternative', html),
      multipart('alternative', part('Content-Type: text/plain', 'See web.'), html),
    ]) {
      assert.deepEqual(outline(await readSample(emlReader, mail, 'a.eml')).slice(2), [
        'heading 2: Plan',
        'paragraph: A long letter about the plan of this year.',
        'list-item 1: one',
      ]);
    }
  });

  it('reads bodies in ISO-2022-JP and other encodings', async () => {
    const body = '育児休業は52週間です。';
    for (const encoding of ['iso-2022-jp', 'shift_jis', 'euc-jp']) {
      const bytes = Buffer.concat([
        Buffer.from(`${head}Content-Type: text/plain; charset=${encoding}\r\n\r\n`),
        encodeText(body, encoding),
      ]);
      assert.ok((await readSample(emlReader, bytes, 'a.eml')).text.includes(body), encoding);
    }
  });

  it('gives what is attached, with names that say how to read it', async () => {
    const forwarded = `${head}Content-Type: text/plain\r\n\r\nThe first message.`;
    const mail = multipart(
      'mixed',
      part('Content-Type: text/plain', 'Attached.'),
      part('Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment', '%PDF-1.4'),
      part('Content-Type: text/csv\r\nContent-Disposition: attachment', 'a,b'),
      part('Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=Report', '%PDF-1.4'),
      part('Content-Type: message/rfc822', forwarded),
      part("Content-Type: text/plain\r\nContent-Disposition: attachment; filename*=utf-8''%E8%A1%A8.txt", 'words'),
    );
    const document = await readSample(emlReader, mail, 'a.eml');
    assert.deepEqual(
      document.attachments?.map(({ name }) => name),
      ['a.pdf', 'attachment 2.csv', 'Report.pdf', 'Leave in 2025.eml', '表.txt'],
    );
    assert.equal(Buffer.from(document.attachments![3]!.bytes).toString().trim(), forwarded.replaceAll('\r\n', '\n'));
    assert.doesNotMatch(document.text, /first message/);
    assert.match(document.text, /Attachments: a\.pdf, attachment 2\.csv/);
  });

  it('refuses what is no message, and headers without an end', async () => {
    await assert.rejects(readSample(emlReader, 'Just words.\r\n', 'words.eml'), {
      code: 'unsupported-format',
      message: /words\.eml is not a mail message/,
    });
    const endless = head + 'X-Filler: y\r\n'.repeat(400_000);
    await assert.rejects(readSample(emlReader, endless, 'endless.eml'), {
      code: 'invalid-document',
      message: /endless\.eml cannot be read as a mail message/,
    });
  });
});
