import type { SearchMatch, SearchRequest } from '@aquifer/client';
import { useState } from 'react';
import { useMessages } from '../language/language.js';
import { Place } from '../shell/place.js';
import { useOpenSource } from '../source/open-source.js';
import { ExplanationView } from './explanation-view.js';
import { type Condition, conditionsOf } from './metadata-filter.js';
import { ScoreBars } from './score-bars.js';

interface MatchViewProps {
  readonly match: SearchMatch;
  readonly best: Partial<SearchMatch['scores']>;
  readonly request: SearchRequest;
  onFilter(condition: Condition): void;
}

/** A passage that was found: where it is, what it says, what each leg gave, and its properties to filter by. */
export function MatchView({ match, best, request, onFilter }: MatchViewProps) {
  const messages = useMessages();
  const open = useOpenSource();
  const [isExplained, setExplained] = useState(false);
  return (
    <li className="match">
      <div className="match-text">
        <h3>
          <button
            type="button"
            className="link"
            onClick={() =>
              open({ ...match, mark: match, ...(match.pageStart !== undefined && { page: match.pageStart }) })
            }
          >
            {match.title}
          </button>
        </h3>
        <Place {...match} />
        <p className="snippet">{match.text}</p>
        <div className="chips">
          {conditionsOf(match.metadata).map((condition) => (
            <button
              key={`${condition.key} ${condition.value}`}
              type="button"
              className="chip"
              title={messages.filterBy(condition.key, String(condition.value))}
              onClick={() => onFilter(condition)}
            >
              <span className="chip-key">{condition.key}</span> {String(condition.value)}
            </button>
          ))}
          <button type="button" className="chip" aria-expanded={isExplained} onClick={() => setExplained(!isExplained)}>
            {messages.why}
          </button>
        </div>
        {isExplained && <ExplanationView request={request} documentId={match.documentId} />}
      </div>
      <ScoreBars scores={match.scores} best={best} />
    </li>
  );
}
