import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { useLoaded } from '../shell/loaded.js';
import { goTo } from '../shell/path.js';
import { Problem } from '../shell/problem.js';
import { useOpenSource } from '../source/open-source.js';
import { ChunkText } from './chunk-text.js';
import { readableSize } from './readable-size.js';

/** One document: what is known of it, and its text with the boundaries of its chunks. */
export function DocumentPage({ id }: { readonly id: string }) {
  const messages = useMessages();
  const open = useOpenSource();
  const { client, knowledgeBase } = useService();
  const {
    value: document,
    error,
    reload,
  } = useLoaded((signal) => client.getDocument(knowledgeBase, id, { signal }), [knowledgeBase, id]);
  if (error !== undefined) return <Problem error={error} onRetry={reload} />;
  if (document === undefined) return <p>{messages.loading}</p>;

  async function download(name: string): Promise<void> {
    const address = URL.createObjectURL(await client.getContent(knowledgeBase, id));
    const link = globalThis.document.createElement('a');
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  const name = document.source.split('/').at(-1) ?? 'document';
  return (
    <>
      <p>
        <button type="button" className="link" onClick={() => goTo('/documents')}>
          ← {messages.documents}
        </button>
      </p>
      <h1>{document.title || document.source}</h1>
      <p className="place path">{document.source}</p>
      <p className="facts small">
        <span className={`badge ${document.status}`}>{messages.statusOf[document.status]}</span>
        <span>{document.mediaType}</span>
        {document.pageCount !== undefined && <span>{messages.page(1, document.pageCount)}</span>}
        <span>
          {document.chunkCount} {messages.chunks}
        </span>
        <span>{readableSize(document.bytes, messages.locale)}</span>
      </p>
      {document.statusReason && <p className="callout">{document.statusReason}</p>}
      <div className="chips">
        {Object.entries(document.metadata).map(([key, value]) => (
          <span key={key} className="chip">
            <span className="chip-key">{key}</span> {typeof value === 'object' ? value.join(', ') : String(value)}
          </span>
        ))}
      </div>
      <p>
        <button
          type="button"
          onClick={() => open({ documentId: id, title: document.title || document.source, page: 1 })}
        >
          {messages.openOriginal}
        </button>{' '}
        <button type="button" onClick={() => void download(name)}>
          {messages.download}
        </button>
      </p>
      <h2>{messages.chunkBoundaries}</h2>
      <ChunkText document={document} />
    </>
  );
}
