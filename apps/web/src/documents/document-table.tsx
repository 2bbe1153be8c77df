import type { Document } from '@aquifer/client';
import { useState } from 'react';
import { useLanguage } from '../language/language.js';
import { Link } from '../shell/path.js';
import { readableSize } from './readable-size.js';

interface DocumentTableProps {
  readonly documents: readonly Document[];
  onDelete(document: Document): Promise<void>;
}

export function DocumentTable({ documents, onDelete }: DocumentTableProps) {
  const { messages } = useLanguage();
  const { locale } = messages;
  const [asked, setAsked] = useState<string>();
  return (
    <table className="documents">
      <thead>
        <tr>
          <th scope="col">{messages.document}</th>
          <th scope="col">{messages.status}</th>
          <th scope="col" className="number">
            {messages.pages}
          </th>
          <th scope="col" className="number">
            {messages.chunks}
          </th>
          <th scope="col" className="number">
            {messages.size}
          </th>
          <th scope="col">{messages.indexed}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {documents.map((document) => (
          <tr key={document.id}>
            <th scope="row">
              <Link href={`/documents/${encodeURIComponent(document.id)}`}>{document.title || document.source}</Link>
              <span className="path">{document.source}</span>
            </th>
            <td>
              <span className={`badge ${document.status}`}>{messages.statusOf[document.status]}</span>
              {document.statusReason && <span className="reason">{document.statusReason}</span>}
            </td>
            <td className="number" data-label={messages.pages}>
              {document.pageCount?.toLocaleString(locale)}
            </td>
            <td className="number" data-label={messages.chunks}>
              {document.chunkCount.toLocaleString(locale)}
            </td>
            <td className="number" data-label={messages.size}>
              {readableSize(document.bytes, locale)}
            </td>
            <td data-label={messages.indexed}>
              <time dateTime={new Date(document.indexedAt).toISOString()}>
                {new Date(document.indexedAt).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })}
              </time>
            </td>
            <td className="actions">
              {asked === document.id ? (
                <>
                  <button type="button" className="danger" onClick={() => void onDelete(document)}>
                    {messages.deleteSure}
                  </button>{' '}
                  <button type="button" onClick={() => setAsked(undefined)}>
                    {messages.cancel}
                  </button>
                </>
              ) : (
                <button
                  type="button"
                  className="quiet"
                  aria-label={messages.deleteNamed(document.source)}
                  onClick={() => setAsked(document.id)}
                >
                  {messages.delete}
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
