import { type Reader, throwIfAborted } from '@aquifer/contracts';
import { openDocumentKind } from '../signatures.js';
import { createTextBuilder } from '../text-builder.js';
import { unpackOpenDocument } from './open-document-file.js';
import { appendOpenDocument } from './open-document-text.js';

/** Reads OpenDocument presentations and drawings: a page a slide, its title a heading; lists, tables, charts, notes. */
export const odpReader: Reader = {
  id: 'odp',
  mediaTypes: ['application/vnd.oasis.opendocument.presentation', 'application/vnd.oasis.opendocument.graphics'],
  extensions: ['.odp', '.otp', '.odg'],
  recognises: (bytes) => /^(?:presentation|graphics)/.test(openDocumentKind(bytes) ?? ''),
  async read({ bytes, name }, { signal } = {}) {
    throwIfAborted(signal);
    const file = unpackOpenDocument(bytes, name, 'an OpenDocument presentation');
    const builder = createTextBuilder();
    appendOpenDocument(builder, file, name, signal);
    const content = builder.finish();
    const first = content.blocks.find(({ kind }) => kind === 'heading');
    const title = file.title ?? (first ? content.text.slice(first.start, first.end) : '');
    return { ...content, ...(title && { title }), metadata: file.metadata, omissions: [] };
  },
};
