import { useEffect, useState } from 'react';
import { KeyForm } from '../access/key-form.js';
import { useService } from '../access/service.js';
import { AskPage } from '../ask/ask-page.js';
import { DocumentPage } from '../documents/document-page.js';
import { DocumentsPage } from '../documents/documents-page.js';
import { useMessages } from '../language/language.js';
import { SearchPage } from '../search/search-page.js';
import { type OpenedSource, OpenSourceContext } from '../source/open-source.js';
import { SourcePanel } from '../source/source-panel.js';
import { StatusPage } from '../status/status-page.js';
import { Header } from './header.js';
import { usePath } from './path.js';
import { Problem } from './problem.js';

/** Header, the page of the path, and beside it the source that was opened last. */
export function Application() {
  const messages = useMessages();
  const { isReady, needsKey, error, reload, choices } = useService();
  const path = usePath();
  const [source, setSource] = useState<OpenedSource>();
  const [, view = '', document] = path.split('/');

  const titles: Readonly<Record<string, string>> = {
    '': messages.ask,
    search: messages.search,
    documents: messages.documents,
    status: messages.status,
  };
  const title = titles[view === 'ask' ? '' : view];
  useEffect(() => {
    globalThis.document.title = title === undefined ? 'Aquifer' : `${title} · Aquifer`;
  }, [title]);

  const pageOf = () => {
    if (view === '' || view === 'ask') return <AskPage />;
    if (view === 'search') return <SearchPage />;
    if (view === 'documents' && document) return <DocumentPage id={decodeURIComponent(document)} />;
    if (view === 'documents') return <DocumentsPage />;
    if (view === 'status') return <StatusPage />;
    return <p>{messages.noSuchPage}</p>;
  };

  return (
    <OpenSourceContext value={setSource}>
      <a className="skip" href="#content">
        {messages.skip}
      </a>
      <Header view={view === 'ask' ? '' : view} />
      <div className={source ? 'columns with-source' : 'columns'}>
        <main id="content" tabIndex={-1} key={choices}>
          {error !== undefined && <Problem error={error} onRetry={() => void reload()} />}
          {needsKey ? <KeyForm /> : isReady && pageOf()}
        </main>
        {source && !needsKey && (
          <SourcePanel
            key={source.order}
            source={source}
            onClose={() => {
              setSource(undefined);
              source.opener?.focus();
            }}
          />
        )}
      </div>
    </OpenSourceContext>
  );
}
