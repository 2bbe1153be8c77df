import type { SearchMatch, SearchRequest, SearchResponse } from '@aquifer/client';
import { useEffect, useId, useState } from 'react';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { Problem } from '../shell/problem.js';
import { MatchView } from './match-view.js';
import { type Condition, filterOf, isSameCondition } from './metadata-filter.js';
import { WhyNotForm } from './why-not-form.js';

const modes = ['hybrid', 'dense', 'keyword'] as const;
const limits = [5, 10, 20, 50] as const;

export function SearchPage() {
  const messages = useMessages();
  const { client, knowledgeBase } = useService();
  const [query, setQuery] = useState('');
  const [mode, setMode] = useState<(typeof modes)[number]>('hybrid');
  const [limit, setLimit] = useState<number>(10);
  const [conditions, setConditions] = useState<readonly Condition[]>([]);
  const [request, setRequest] = useState<SearchRequest>();
  const [found, setFound] = useState<{ readonly response?: SearchResponse; readonly error?: unknown }>({});
  const field = useId();

  const send = (changes: { conditions?: readonly Condition[]; mode?: (typeof modes)[number]; limit?: number } = {}) => {
    if (query.trim() === '') return;
    const filter = filterOf(changes.conditions ?? conditions);
    setRequest({
      query: query.trim(),
      mode: changes.mode ?? mode,
      limit: changes.limit ?? limit,
      ...(filter && { filter }),
    });
  };
  const filterBy = (changed: readonly Condition[]) => {
    setConditions(changed);
    send({ conditions: changed });
  };

  useEffect(() => {
    if (request === undefined) return;
    const controller = new AbortController();
    client.search(knowledgeBase, request, controller).then(
      (response) => setFound({ response }),
      (error: unknown) => {
        if (!controller.signal.aborted) setFound({ error });
      },
    );
    return () => controller.abort();
  }, [client, knowledgeBase, request]);

  const { response, error } = found;
  const matches = response?.matches ?? [];
  return (
    <>
      <h1 className="hidden">{messages.search}</h1>
      <search>
        <form
          className="search-form"
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <label htmlFor={field} className="hidden">
            {messages.query}
          </label>
          <input
            id={field}
            type="search"
            placeholder={messages.query}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
          <button type="submit" className="primary">
            {messages.search}
          </button>
          <fieldset className="choices" aria-label={messages.mode}>
            {modes.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={each === mode}
                onClick={() => {
                  setMode(each);
                  send({ mode: each });
                }}
              >
                {messages.modes[each]}
              </button>
            ))}
          </fieldset>
          <label className="small">
            {messages.limit}{' '}
            <select
              value={limit}
              onChange={(event) => {
                setLimit(Number(event.target.value));
                send({ limit: Number(event.target.value) });
              }}
            >
              {limits.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        </form>
      </search>
      {conditions.length > 0 && (
        <ul className="chips filters" aria-label={messages.filters}>
          {conditions.map((condition) => (
            <li key={`${condition.key} ${condition.value}`} className="chip active">
              {condition.isItem ? (
                <ConditionText condition={condition} />
              ) : (
                <button
                  type="button"
                  aria-label={messages.filterTurn(condition.key)}
                  onClick={() =>
                    filterBy(conditions.map((each) => (each === condition ? { ...each, isNot: !each.isNot } : each)))
                  }
                >
                  <ConditionText condition={condition} />
                </button>
              )}
              <button
                type="button"
                aria-label={messages.filterRemove(condition.key)}
                onClick={() => filterBy(conditions.filter((each) => each !== condition))}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      {error !== undefined && <Problem error={error} onRetry={() => send()} />}
      <p role="status" className="small">
        {response &&
          (matches.length === 0
            ? messages.nothingFound
            : `${messages.found(matches.length, Math.round(response.ms.total ?? 0))} · ${messages.plan[response.plan.dense]}`)}
      </p>
      {response?.notes?.map((note) => (
        <p key={note} className="callout">
          {note}
        </p>
      ))}
      {matches.some(({ metadata }) => Object.keys(metadata).length > 0) && conditions.length === 0 && (
        <p className="small">{messages.filterHint}</p>
      )}
      {request && (
        <ol className="matches">
          {matches.map((match) => (
            <MatchView
              key={match.chunkId}
              match={match}
              best={bestScores(matches)}
              request={request}
              onFilter={(condition) => {
                if (!conditions.some((each) => isSameCondition(each, condition))) filterBy([...conditions, condition]);
              }}
            />
          ))}
        </ol>
      )}
      {request && response && <WhyNotForm request={request} />}
    </>
  );
}

/** Of each leg that gave any of the matches a score. */
function bestScores(matches: readonly SearchMatch[]): Partial<SearchMatch['scores']> {
  const best: { -readonly [Leg in keyof SearchMatch['scores']]?: number } = {};
  for (const { scores } of matches) {
    for (const leg of ['fused', 'dense', 'keyword', 'rerank'] as const) {
      const score = scores[leg];
      if (score !== undefined) best[leg] = Math.max(best[leg] ?? score, score);
    }
  }
  return best;
}

function ConditionText({ condition: { key, value, isNot } }: { readonly condition: Condition }) {
  const messages = useMessages();
  return (
    <span>
      <span className="chip-key">{key}</span> {isNot ? messages.filterIsNot : messages.filterIs} {String(value)}
    </span>
  );
}
