import type { WholeDocument } from '@aquifer/client';
import { useState } from 'react';
import { useMessages } from '../language/language.js';
import { chunkSegments } from './chunk-segments.js';

/** Pieces that are drawn at first: a document may have tens of thousands. */
const step = 400;

/** The text of a document with the boundaries of its chunks drawn over it. */
export function ChunkText({ document }: { readonly document: WholeDocument }) {
  const messages = useMessages();
  const [shown, setShown] = useState(step);
  const { content, chunks } = document;
  const segments = chunkSegments(content.text.length, chunks);
  return (
    <>
      <div className="document-text chunked">
        {segments.slice(0, shown).map(({ start, end, chunks: covering, begins }) => (
          <span
            key={start}
            className={covering.length > 1 ? 'overlap' : covering.length === 1 ? `chunk-${covering[0]! % 2}` : 'gap'}
            title={covering.length > 1 ? messages.overlap : undefined}
          >
            {begins.map((at) => {
              const { tokens, pageStart, pageEnd } = chunks[at]!;
              return (
                <span key={at} className="boundary">
                  {messages.chunk(at + 1, tokens)}
                  {pageStart !== undefined && ` · ${messages.page(pageStart, pageEnd)}`}
                </span>
              );
            })}
            {content.text.slice(start, end)}
          </span>
        ))}
        {content.text === '' && messages.noText}
      </div>
      {shown < segments.length && (
        <button type="button" onClick={() => setShown(shown + step * 4)}>
          {messages.more}
        </button>
      )}
    </>
  );
}
