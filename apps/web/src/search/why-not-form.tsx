import type { SearchRequest } from '@aquifer/client';
import { useId, useState } from 'react';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { useLoaded } from '../shell/loaded.js';
import { ExplanationView } from './explanation-view.js';

/** Asks why a document that somebody has in mind is not among the results. */
export function WhyNotForm({ request }: { readonly request: SearchRequest }) {
  const messages = useMessages();
  const { client, knowledgeBase } = useService();
  const [documentId, setDocumentId] = useState('');
  const field = useId();
  const { value } = useLoaded(
    (signal) => client.listDocuments(knowledgeBase, { limit: 1_000, signal }),
    [knowledgeBase],
  );
  return (
    <details className="why-not">
      <summary>{messages.whyNot}</summary>
      <label htmlFor={field}>{messages.whyNotPick}</label>{' '}
      <select id={field} value={documentId} onChange={(event) => setDocumentId(event.target.value)}>
        <option value="">…</option>
        {[...(value?.documents ?? [])]
          .sort((one, other) => (one.source < other.source ? -1 : 1))
          .map(({ id, source }) => (
            <option key={id} value={id}>
              {source}
            </option>
          ))}
      </select>
      {documentId !== '' && <ExplanationView request={request} documentId={documentId} />}
    </details>
  );
}
