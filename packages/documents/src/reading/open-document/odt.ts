import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { openDocumentKind } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { unpackOpenDocument } from './open-document-file.js';
import { appendOpenDocument } from './open-document-text.js';

/** Reads OpenDocument texts: headings by outline level or style, lists with their numbers, tables, notes, frames. */
export const odtReader: Reader = {
  id: 'odt',
  mediaTypes: ['application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text-template'],
  extensions: ['.odt', '.ott'],
  recognises: (bytes) => /^text/.test(openDocumentKind(bytes) ?? ''),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = unpackOpenDocument(bytes, name, 'an OpenDocument text');
    const builder = createTextBuilder();
    appendOpenDocument(builder, file, name, signal);
    const content = builder.finish();
    const [first] = content.blocks;
    const heading = first?.kind === 'heading' && first.level === 1 ? content.text.slice(first.start, first.end) : '';
    const title = file.title ?? heading;
    return { ...content, ...(title && { title }), metadata: file.metadata, omissions: [] };
  },
};
