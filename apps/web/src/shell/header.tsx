import { useEffect, useState } from 'react';
import { useService } from '../access/service.js';
import { type LanguageName, languageNames, useLanguage } from '../language/language.js';
import { Link } from './path.js';
import { applyTheme, storedTheme, type Theme, themes } from './theme.js';

const views = ['', 'search', 'documents', 'status'] as const;

export function Header({ view }: { readonly view: string }) {
  const { messages, name, choose } = useLanguage();
  const { knowledgeBases, knowledgeBase, choose: chooseKnowledgeBase, hasKey, useKey: take } = useService();
  const [theme, setTheme] = useState<Theme>(storedTheme);
  useEffect(() => applyTheme(theme), [theme]);
  const titles = { '': messages.ask, search: messages.search, documents: messages.documents, status: messages.status };
  return (
    <header className="top">
      <div className="brand" aria-hidden="true">
        Aquifer
      </div>
      <nav aria-label={messages.navigation}>
        {views.map((each) => (
          <Link key={each} href={`/${each}`} aria-current={each === view ? 'page' : undefined}>
            {titles[each]}
          </Link>
        ))}
      </nav>
      <div className="settings">
        {knowledgeBases.length > 1 && (
          <select
            aria-label={messages.knowledgeBase}
            value={knowledgeBase}
            onChange={(event) => chooseKnowledgeBase(event.target.value)}
          >
            {knowledgeBases.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </select>
        )}
        <select aria-label={messages.theme} value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          {themes.map((each) => (
            <option key={each} value={each}>
              {messages.themes[each]}
            </option>
          ))}
        </select>
        <select
          aria-label={messages.language}
          value={name}
          onChange={(event) => choose(event.target.value as LanguageName)}
        >
          {Object.entries(languageNames).map(([each, shown]) => (
            <option key={each} value={each} lang={each}>
              {shown}
            </option>
          ))}
        </select>
        {hasKey && (
          <button type="button" className="quiet" onClick={() => take(undefined)}>
            {messages.keyForget}
          </button>
        )}
      </div>
    </header>
  );
}
