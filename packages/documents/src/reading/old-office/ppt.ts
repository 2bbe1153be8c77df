import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { isOldPowerPoint } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { damagedOldOffice, encryptedOldOffice, openOldOffice, summaryOf, tooOldOffice } from './old-office-file.js';
import { readSlides } from './powerpoint-text.js';

const kind = 'a PowerPoint 97–2003 presentation';

/** In the stream "Current User": the presentation is encrypted (MS-PPT 2.3.2). */
const encryptedToken = 0xf3d1c4df;

/** Reads presentations of PowerPoint 97 to 2003: a page a slide, its title a heading, then its other texts and notes. */
export const pptReader: Reader = {
  id: 'ppt',
  mediaTypes: ['application/vnd.ms-powerpoint'],
  extensions: ['.ppt', '.pps', '.pot'],
  recognises: isOldPowerPoint,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = openOldOffice(bytes, name, kind);
    const stream = file.stream('PowerPoint Document');
    const user = file.stream('Current User');
    if (!stream) {
      if (file.stream('PP40')) throw tooOldOffice(name, 'a presentation of PowerPoint 95 or older', 'pptx');
      throw damagedOldOffice(name, kind);
    }
    if (!user || user.length < 20) throw damagedOldOffice(name, kind);
    const view = new DataView(user.buffer, user.byteOffset, user.byteLength);
    if (view.getUint32(12, true) === encryptedToken || file.stream('EncryptedSummary')) {
      throw encryptedOldOffice(name, 'pptx');
    }
    const slides = readSlides(stream, view.getUint32(16, true), signal);
    if (!slides) throw damagedOldOffice(name, kind);

    const builder = createTextBuilder();
    for (const [index, { texts, notes }] of slides.entries()) {
      builder.beginPage(index + 1);
      const title = texts.findIndex(({ isTitle }) => isTitle);
      if (title >= 0) builder.append('heading', texts[title]!.paragraphs.join(' '), { level: 1 });
      for (const [position, { isList, paragraphs }] of texts.entries()) {
        if (position === title) continue;
        const isItems = isList && paragraphs.length > 1;
        for (const [item, text] of paragraphs.entries()) {
          if (isItems) builder.append('list-item', text, { level: 1, startsGroup: item === 0 });
          else builder.append('paragraph', text);
        }
      }
      for (const { paragraphs } of notes) for (const text of paragraphs) builder.append('paragraph', text);
    }
    const content = builder.finish();
    const { title = '', metadata } = summaryOf(file);
    const first = content.blocks.find(({ kind: block }) => block === 'heading');
    const best =
      title && !/^powerpoint presentation$/i.test(title) ? title : first && content.text.slice(first.start, first.end);
    return { ...content, ...(best && { title: best }), metadata, omissions: [] };
  },
};
