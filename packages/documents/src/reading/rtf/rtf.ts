import { AquiferError, type Metadata, type MetadataValue, type Reader, throwIfAborted } from '@aquifer/contracts';
import { describeContent, isRtf } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { appendFlow } from '../text-flow.js';
import { readRtf } from './rtf-document.js';

/** Reads Rich Text Format: text of any code page, headings by style or outline level, lists, tables, notes. */
export const rtfReader: Reader = {
  id: 'rtf',
  mediaTypes: ['application/rtf', 'text/rtf'],
  extensions: ['.rtf'],
  recognises: isRtf,
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    if (!isRtf(bytes)) {
      throw new AquiferError('unsupported-format', `${name} is ${describeContent(bytes)}, not an RTF document.`);
    }
    const { body, notes, info, isComplete } = readRtf(bytes, name, signal);
    const builder = createTextBuilder();
    appendFlow(builder, body);
    for (const [index, note] of notes.entries())
      appendFlow(
        builder,
        note.map((output) => asNote(output, index)),
      );
    const content = builder.finish();
    const [first] = content.blocks;
    const heading = first?.kind === 'heading' && first.level === 1 ? content.text.slice(first.start, first.end) : '';
    const title = info.get('title') || heading;
    return {
      ...content,
      ...(title && { title }),
      metadata: metadataOf(info),
      omissions: isComplete ? [] : ['the file ends in the middle: it was cut off'],
    };
  },
};

function asNote(output: ReturnType<typeof readRtf>['notes'][number][number], index: number): typeof output {
  return 'rows' in output ? output : { kind: 'list-item', text: output.text, level: 1, startsGroup: index === 0 };
}

const keys = { doccomm: 'description', subject: 'subject', author: 'author', creatim: 'created', revtim: 'modified' };

function metadataOf(info: ReadonlyMap<string, string>): Metadata {
  const metadata: Record<string, MetadataValue> = {};
  for (const [word, key] of Object.entries(keys)) if (info.get(word)) metadata[key] = info.get(word)!;
  return metadata;
}
