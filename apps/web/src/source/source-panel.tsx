import type { WholeDocument } from '@aquifer/client';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { useLoaded } from '../shell/loaded.js';
import { Problem } from '../shell/problem.js';
import type { OpenedSource } from './open-source.js';
import { TextView } from './text-view.js';

/** PDF.js is larger than all the rest of the page, and is fetched when the first PDF is opened. */
const PdfView = lazy(async () => ({ default: (await import('./pdf-view.js')).PdfView }));

const isPdf = ({ mediaType }: WholeDocument) => mediaType === 'application/pdf';

/** The source of a citation or a result beside the page: a page of the PDF, or the text, with the passage marked. */
export function SourcePanel({ source, onClose }: { readonly source: OpenedSource; onClose(): void }) {
  const messages = useMessages();
  const { client, knowledgeBase } = useService();
  const { documentId, title, mark } = source;
  const heading = useRef<HTMLHeadingElement>(null);
  const [isPassageFound, setPassageFound] = useState<boolean>();
  const [wantsText, setWantsText] = useState(false);
  useEffect(() => heading.current?.focus(), []);

  const document = useLoaded((signal) => client.getDocument(knowledgeBase, documentId, { signal }), [documentId]);
  const found = document.value;
  const original = useLoaded(
    async (signal) => {
      if (found === undefined || !isPdf(found)) return undefined;
      const blob = await client.getContent(knowledgeBase, documentId, { signal });
      return new Uint8Array(await blob.arrayBuffer());
    },
    [found],
  );
  const showsPdf = original.value !== undefined && !wantsText && isPassageFound !== false;

  /** What of the passage stands on a page. */
  const passageOn = (page: number): string => {
    const span = found?.content.pages.find((each) => each.page === page);
    if (!found || !span || !mark) return '';
    return found.content.text.slice(Math.max(mark.start, span.start), Math.min(mark.end, span.end));
  };
  const firstPage =
    source.page ?? found?.content.pages.find(({ end }) => mark !== undefined && end > mark.start)?.page ?? 1;

  return (
    <aside
      className="source"
      aria-labelledby="source-title"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <div className="source-head">
        <h2 id="source-title" tabIndex={-1} ref={heading}>
          {title}
        </h2>
        <button type="button" className="quiet" onClick={onClose} aria-label={messages.close}>
          ✕
        </button>
      </div>
      {found && <p className="place path">{found.source}</p>}
      {document.error !== undefined && <Problem error={document.error} onRetry={document.reload} />}
      {original.error !== undefined && (
        <p className="callout" role="status">
          {messages.noOriginal} {(original.error as Error).message}
        </p>
      )}
      {original.value !== undefined && (
        <fieldset className="choices" aria-label={messages.openOriginal}>
          <button
            type="button"
            aria-pressed={showsPdf}
            onClick={() => {
              setWantsText(false);
              setPassageFound(undefined);
            }}
          >
            {messages.sourcePage}
          </button>
          <button type="button" aria-pressed={!showsPdf} onClick={() => setWantsText(true)}>
            {messages.sourceText}
          </button>
        </fieldset>
      )}
      <p role="status" className={isPassageFound === undefined ? 'hidden' : 'small'}>
        {isPassageFound === true && messages.passageMarked}
        {isPassageFound === false && messages.passageNotFound}
      </p>
      {showsPdf && original.value && (
        <Suspense fallback={<p>{messages.loading}</p>}>
          <PdfView bytes={original.value} firstPage={firstPage} passageOn={passageOn} onPassage={setPassageFound} />
        </Suspense>
      )}
      {found && !showsPdf && (!isPdf(found) || original.value !== undefined || original.error !== undefined) && (
        <TextView text={found.content.text} mark={mark} />
      )}
      {!found && document.error === undefined && <p>{messages.loading}</p>}
    </aside>
  );
}
