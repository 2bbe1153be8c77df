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

  const bare = (subject: string) =>
    `From: yamada@example.jp\r\nTo: ann@example.org\r\nSubject: ${subject}\r\nDate: Tue, 4 Mar 2025 09:30:00 +0900\r\n`;
  const german = 'Über die größere Lösung für den Käufer müssen wir später sprechen.';
  const japanese = '育児休業は52週間です。申請書は人事部へ提出してください。';
  const languages = [
    ['windows-1252', 'Grüße aus Köln', german],
    ['utf-8', 'Grüße aus Köln', german],
    ['shift_jis', '育児休業について', japanese],
    ['euc-jp', '育児休業について', japanese],
    ['iso-2022-jp', '育児休業について', japanese],
    ['utf-8', '育児休業について', japanese],
  ] as const;

  it('reads messages that do not say their encoding, or say that they are ASCII', async () => {
    const types = [
      '',
      'Content-Type: text/plain\r\n',
      'MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset="us-ascii"\r\n',
    ];
    for (const [encoding, subject, body] of languages) {
      for (const type of types) {
        const mail = encodeText(`${bare(subject)}${type}\r\n${body}\r\n`, encoding);
        const document = await readSample(emlReader, mail, 'a.eml');
        assert.equal(document.title, subject, `${encoding} ${type}`);
        assert.ok(document.text.endsWith(body), `${encoding} ${type}: ${document.text}`);
      }
    }
  });

  it('reads raw header fields beside a body that says its encoding, and names of attachments', async () => {
    for (const [encoding, subject, body] of languages) {
      const bytes = Buffer.concat([
        encodeText(bare(subject), encoding),
        Buffer.from('Content-Type: text/plain; charset=utf-8\r\n\r\n'),
        Buffer.from(body),
      ]);
      const document = await readSample(emlReader, bytes, 'a.eml');
      assert.equal(document.title, subject, encoding);
      assert.ok(document.text.endsWith(body), encoding);
    }
    const attached = part(
      'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="Übersicht Käufe.csv"',
      'a,b',
    );
    const mixed = encodeText(multipart('mixed', part('Content-Type: text/plain', german), attached), 'windows-1252');
    const document = await readSample(emlReader, mixed, 'a.eml');
    assert.equal(document.attachments?.[0]?.name, 'Übersicht Käufe.csv');
    assert.ok(document.text.includes(german));
  });

  it('finds the encoding of each part, also behind a transfer encoding, and leaves what is attached as it is', async () => {
    const binary = Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 7 + 0x1b) & 0xff)).filter(
      (byte) => byte !== 0x0a && byte !== 0x0d,
    );
    const quoted = encodeText(german, 'windows-1252')
      .toString('latin1')
      .replace(/[\x80-\xff]/g, (character) => `=${character.charCodeAt(0).toString(16).toUpperCase()}`);
    const page = `<html><head><meta charset="shift_jis"></head><body><p>${japanese}</p></body></html>`;
    const based = encodeText(page, 'shift_jis').toString('base64');
    const bytes = Buffer.concat([
      Buffer.from(`${head}Content-Type: multipart/mixed; boundary="cut"\r\n\r\n`),
      encodeText(part('Content-Type: text/plain', japanese), 'euc-jp'),
      Buffer.from(part('Content-Transfer-Encoding: quoted-printable', quoted)),
      Buffer.from(part('Content-Type: text/html\r\nContent-Transfer-Encoding: base64', based)),
      Buffer.from(
        '--cut\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: binary\r\n\r\n',
      ),
      binary,
      Buffer.from('\r\n'),
      encodeText(
        part('Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt', japanese),
        'shift_jis',
      ),
      Buffer.from('--cut--\r\n'),
    ]);
    const document = await readSample(emlReader, bytes, 'a.eml');
    assert.equal(document.text.split(japanese).length, 3);
    assert.ok(document.text.includes(german));
    const [first, second] = document.attachments!;
    assert.deepEqual(Buffer.from(first!.bytes).subarray(0, binary.length), binary);
    assert.deepEqual(Buffer.from(second!.bytes).subarray(0, 56), encodeText(japanese, 'shift_jis').subarray(0, 56));
  });

  it('reads quotation marks of windows-1252, however it is called', async () => {
    for (const charset of ['windows-1252', 'iso-8859-1']) {
      const mail = encodeText(
        `${head.replace('Leave', `=?${charset}?Q?=93Leave=94?=`)}Content-Type: text/plain; charset=${charset}\r\n\r\nIt costs 5 € – “really”.`,
        'windows-1252',
      );
      const document = await readSample(emlReader, mail, 'a.eml');
      assert.match(document.title!, /^“Leave”/);
      assert.match(document.text, /It costs 5 € – “really”\./);
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

  it('says that a message was cut off, and that only', async () => {
    const inner = `--in\r\nContent-Type: text/plain\r\n\r\nAttached.\r\n`;
    const mail = multipart(
      'mixed',
      part('Content-Type: multipart/alternative; boundary=in', inner),
      part('Content-Type: text/csv; name=a.csv', 'a,b\r\nc,d'),
    );
    assert.deepEqual((await readSample(emlReader, mail, 'a.eml')).omissions, []);
    for (const length of [mail.length - 4, mail.length - 9, mail.indexOf('c,d')]) {
      const document = await readSample(emlReader, mail.slice(0, length), 'a.eml');
      assert.deepEqual(
        document.omissions,
        ['the message ends in the middle of its parts: it was cut off'],
        `${length}`,
      );
    }
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
