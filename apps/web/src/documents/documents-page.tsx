import type { Document } from '@aquifer/client';
import { useCallback, useEffect, useState } from 'react';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { Problem } from '../shell/problem.js';
import { useCloseSource } from '../source/open-source.js';
import { DocumentTable } from './document-table.js';
import { DropZone } from './drop-zone.js';
import { UploadView } from './upload-view.js';
import { useUploads } from './use-uploads.js';

const pageSize = 100;

export function DocumentsPage() {
  const messages = useMessages();
  const { client, knowledgeBase, knowledgeBases } = useService();
  const [status, setStatus] = useState<Document['status']>();
  const [documents, setDocuments] = useState<readonly Document[]>();
  const [cursor, setCursor] = useState<string>();
  const closeSource = useCloseSource();
  const [error, setError] = useState<unknown>();
  const [announced, setAnnounced] = useState('');
  const isThere = knowledgeBases.length > 0;

  const load = useCallback(
    async (after?: string) => {
      if (!isThere) return setDocuments([]);
      try {
        const page = await client.listDocuments(knowledgeBase, {
          limit: pageSize,
          ...(status && { status }),
          ...(after && { cursor: after }),
        });
        setDocuments((before) => (after ? [...(before ?? []), ...page.documents] : page.documents));
        setCursor(page.nextCursor);
        setError(undefined);
      } catch (thrown) {
        setError(thrown);
      }
    },
    [client, knowledgeBase, isThere, status],
  );
  useEffect(() => void load(), [load]);
  const { uploads, send } = useUploads(useCallback(() => void load(), [load]));

  async function remove({ id, source }: Document): Promise<void> {
    try {
      await client.deleteDocument(knowledgeBase, id);
      closeSource(id);
      setAnnounced(messages.deleted(source));
      setDocuments((before) => before?.filter((each) => each.id !== id));
    } catch (thrown) {
      setError(thrown);
    }
  }

  return (
    <>
      <h1 className="hidden">{messages.documents}</h1>
      <DropZone onFiles={(files) => void send(files)} />
      {uploads.map((upload) => (
        <UploadView key={upload.number} upload={upload} />
      ))}
      <div className="list-head">
        <label className="small">
          {messages.status}{' '}
          <select
            value={status ?? ''}
            onChange={(event) => setStatus((event.target.value || undefined) as Document['status'] | undefined)}
          >
            <option value="">{messages.all}</option>
            {Object.entries(messages.statusOf).map(([each, shown]) => (
              <option key={each} value={each}>
                {shown}
              </option>
            ))}
          </select>
        </label>
        <p role="status" className="small">
          {announced}
        </p>
      </div>
      {error !== undefined && <Problem error={error} onRetry={() => void load()} />}
      {documents?.length === 0 && <p>{messages.noDocuments}</p>}
      {documents && documents.length > 0 && <DocumentTable documents={documents} onDelete={remove} />}
      {cursor !== undefined && (
        <button type="button" onClick={() => void load(cursor)}>
          {messages.more}
        </button>
      )}
    </>
  );
}
