import { AquiferError, type Attachment, type Metadata, type Reader, throwIfAborted } from '@aquifer/contracts';
import type { Address, Email, Attachment as MailAttachment } from 'postal-mime';
import { formats } from './formats.js';
import { appendMarkup } from './markup/append-markup.js';
import { parseMarkup } from './markup/parse-markup.js';
import { prepareMail } from './prepare-mail.js';
import { isEml } from './signatures.js';
import { appendPlainText } from './text/append-plain-text.js';
import { decodeText } from './text/decode-text.js';
import { withWindows1252 } from './text/legacy-encodings.js';
import { createTextBuilder, type TextBuilder } from './text-builder.js';

/**
 * Reads mail messages (RFC 5322, MIME): the subject as title, who wrote to whom and when, and the body, quoted replies
 * included. What is attached, forwarded messages too, comes back as attachments.
 */
export const emlReader: Reader = {
  id: 'eml',
  mediaTypes: ['message/rfc822'],
  extensions: ['.eml'],
  recognises: isEml,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    if (!isEml(bytes)) {
      throw new AquiferError(
        'unsupported-format',
        `${name} is not a mail message: it does not begin with header fields.`,
      );
    }
    const { default: PostalMime } = await import('postal-mime');
    const prepared = prepareMail(bytes);
    let mail: Email;
    try {
      mail = await PostalMime.parse(prepared.bytes, { forceRfc822Attachments: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AquiferError('invalid-document', `${name} cannot be read as a mail message: ${reason}.`, {
        cause: error,
      });
    }
    throwIfAborted(signal);

    const builder = createTextBuilder();
    const subject = withWindows1252(mail.subject ?? '').trim();
    if (subject) builder.append('heading', subject, { level: 1 });
    appendSenders(builder, mail);
    appendBody(builder, mail, signal);
    const attachments = mail.attachments.map(asAttachment);
    if (attachments.length > 0) {
      builder.append('paragraph', `Attachments: ${attachments.map((attachment) => attachment.name).join(', ')}`);
    }
    return {
      ...builder.finish(),
      ...(subject && { title: subject }),
      metadata: metadataOf(mail),
      omissions: prepared.isCutOff ? ['the message ends in the middle of its parts: it was cut off'] : [],
      ...(attachments.length > 0 && { attachments }),
    };
  },
};

/** Who wrote to whom and when, as people ask for it. */
function appendSenders(builder: TextBuilder, mail: Email): void {
  const lines = [
    ['From', mail.from && [mail.from]],
    ['To', mail.to],
    ['Cc', mail.cc],
  ] as const;
  const written = lines.flatMap(([label, addresses]) => {
    const people = (addresses ?? []).map(personOf).filter((person) => person !== '');
    return people.length > 0 ? [`${label}: ${people.join(', ')}`] : [];
  });
  if (mail.date) written.push(`Date: ${mail.date.replace(/T(\d\d:\d\d).*$/, ' $1')}`);
  if (written.length > 0) builder.append('paragraph', written.join('\n'));
}

function personOf(address: Address): string {
  if (address.group) return [address.name, ...address.group.map(personOf)].filter(Boolean).join(' ');
  return address.name && address.name !== address.address
    ? `${withWindows1252(address.name)} <${address.address}>`
    : (address.address ?? '');
}

function appendBody(builder: TextBuilder, { text, html }: Email, signal: AbortSignal | undefined): void {
  // Where both are there, they say the same; the text has no layout that would have to be taken off first. But mail programs
  // that only send HTML put a line such as "view in your browser" for text.
  const isStub = html !== undefined && (text ?? '').trim().length * 5 < visibleLength(html);
  if (text?.trim() && !isStub) {
    appendPlainText(builder, withoutQuoteMarks(withWindows1252(text)), signal);
  } else if (html) {
    appendMarkup(builder, parseMarkup(withWindows1252(html)), { signal });
  }
}

function visibleLength(html: string): number {
  return html
    .replace(/<(style|script)[\s\S]*?<\/\1\s*>/gi, '')
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ').length;
}

/** Quoted lines without the `>` before them, which would stand between the words of every sentence. */
function withoutQuoteMarks(text: string): string {
  return text.replace(/^(?:> ?)+/gm, '').replace(/^-- ?$/gm, '');
}

function metadataOf(mail: Email): Metadata {
  const listed = (addresses: readonly Address[] | undefined) =>
    (addresses ?? [])
      .flatMap((address) => (address.group ?? [address]).map(personOf))
      .filter((person) => person !== '');
  const to = listed(mail.to);
  const cc = listed(mail.cc);
  const from = mail.from && personOf(mail.from);
  return {
    ...(from && { from }),
    ...(to.length > 0 && { to }),
    ...(cc.length > 0 && { cc }),
    ...(mail.date && { date: mail.date }),
    ...(mail.messageId && { messageId: mail.messageId }),
    ...(mail.inReplyTo && { inReplyTo: mail.inReplyTo }),
  };
}

/** With a name whose extension says how to read it, which not every mail program gives. */
function asAttachment({ filename, mimeType, content }: MailAttachment, index: number): Attachment {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content as ArrayBuffer);
  const format = formats.find(({ mediaTypes }) => mediaTypes.includes(mimeType));
  const extension = format?.extensions[0] ?? '';
  const given = withWindows1252(filename ?? '').trim();
  if (given === '') {
    const subject = mimeType === 'message/rfc822' ? subjectOf(bytes) : '';
    return { name: `${subject || (format?.id === 'eml' ? 'message' : `attachment ${index + 1}`)}${extension}`, bytes };
  }
  const isNamed = formats.some(({ extensions }) => extensions.some((end) => given.toLowerCase().endsWith(end)));
  return { name: isNamed || /\.\w{1,8}$/.test(given) ? given : `${given}${extension}`, bytes };
}

/** The subject of a message that is attached without a name, where it is plain words. */
function subjectOf(bytes: Uint8Array): string {
  const head = decodeText(bytes.subarray(0, 8192));
  const subject = /^subject:[ \t]*(.*)$/im.exec(head)?.[1]?.trim() ?? '';
  return subject.includes('=?')
    ? ''
    : subject
        .replace(/[\\/:*?"<>|]+/g, ' ')
        .slice(0, 80)
        .trim();
}
