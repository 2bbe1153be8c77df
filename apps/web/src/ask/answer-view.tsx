import { useMessages } from '../language/language.js';
import { Place } from '../shell/place.js';
import { Problem } from '../shell/problem.js';
import { useOpenSource } from '../source/open-source.js';
import { answerPieces, type CitedSource, citedSources } from './answer-pieces.js';
import type { Asking } from './use-asking.js';

/** An answer with its citations, its sources, and what is not supported by them. */
export function AnswerView({ asking }: { readonly asking: Asking }) {
  const messages = useMessages();
  const open = useOpenSource();
  const { question, state, text, citations, answer, search, error } = asking;
  const sources = citedSources(citations);
  const unsupported = answer?.abstained ? [] : (answer?.unsupported ?? []);
  const show = ({ reference }: CitedSource) => {
    const { documentId, title, start, end, pageStart } = reference;
    open({ documentId, title, mark: { start, end }, ...(pageStart !== undefined && { page: pageStart }) });
  };
  const isRunning = state === 'searching' || state === 'answering';
  return (
    <article className="answer" aria-label={messages.answer} aria-busy={isRunning}>
      <h2>{question}</h2>
      <p role="status" className={isRunning ? 'small working' : 'hidden'}>
        {state === 'searching' && messages.searching}
        {state === 'answering' && messages.answering}
        {state === 'stopped' && messages.stopped}
        {state === 'done' && `${answer?.abstained ? messages.abstained : messages.answer}: ${text}`}
      </p>
      {answer?.abstained && <p className="callout abstained">{messages.abstained}</p>}
      {text !== '' && (
        <p className={answer?.abstained ? 'answer-text quiet-text' : 'answer-text'}>
          {answerPieces(text, citations, unsupported).map((piece) => (
            <span key={piece.start}>
              {piece.isUnsupported && piece.text.trim() !== '' ? (
                <mark className="unsupported" title={messages.unsupported}>
                  {piece.text}
                  <span className="hidden"> ({messages.unsupported})</span>
                </mark>
              ) : (
                piece.text
              )}
              {piece.sources.map((number) => {
                const source = sources[number - 1]!;
                return (
                  <button
                    key={number}
                    type="button"
                    className="citation"
                    aria-label={messages.openSource(number, source.reference.title)}
                    onClick={() => show(source)}
                  >
                    {number}
                  </button>
                );
              })}
            </span>
          ))}
        </p>
      )}
      {unsupported.length > 0 && (
        <p className="small">
          <mark className="unsupported" aria-hidden="true">
            abc
          </mark>{' '}
          {messages.unsupportedLegend}
        </p>
      )}
      {state === 'stopped' && <p className="callout">{messages.stopped}</p>}
      {state === 'failed' && (
        <>
          {text !== '' && <p className="callout">{messages.interrupted}</p>}
          <Problem error={error} />
        </>
      )}
      {answer?.stopReason === 'max-tokens' && <p className="callout">{messages.cutOff}</p>}
      {answer?.notes?.map((note) => (
        <p key={note} className="callout">
          {note}
        </p>
      ))}
      {sources.length > 0 && (
        <section aria-labelledby="sources-title">
          <h3 id="sources-title">{messages.sources}</h3>
          <ol className="sources">
            {sources.map((source) => (
              <li key={source.number}>
                <button type="button" className="source-card" onClick={() => show(source)}>
                  <span className="source-number">{source.number}</span>
                  <span>
                    <span className="source-name">{source.reference.title}</span>
                    <q>{source.reference.quote}</q>
                  </span>
                </button>
                <Place {...source.reference} />
                {!source.reference.verified && <p className="small warn">⚠ {messages.unverified}</p>}
              </li>
            ))}
          </ol>
        </section>
      )}
      {answer?.abstained && search && search.matches.length > 0 && (
        <section aria-labelledby="nearest-title">
          <h3 id="nearest-title">{messages.nearest}</h3>
          <ol className="sources">
            {search.matches.slice(0, 3).map((match) => (
              <li key={match.chunkId}>
                <button
                  type="button"
                  className="source-card"
                  onClick={() =>
                    open({ ...match, mark: match, ...(match.pageStart !== undefined && { page: match.pageStart }) })
                  }
                >
                  <span className="source-number">{match.rank}</span>
                  <span>
                    <span className="source-name">{match.title}</span>
                    <span className="excerpt">{match.text}</span>
                  </span>
                </button>
                <Place {...match} />
              </li>
            ))}
          </ol>
        </section>
      )}
      {answer && (
        <p className="small facts">
          <span>{answer.modelDescription}</span>
          <span>{messages.considered(answer.considered)}</span>
          <span>{Math.round(answer.ms.total ?? 0)} ms</span>
          {answer.usage.inputTokens > 0 && (
            <span>{messages.tokens(answer.usage.inputTokens, answer.usage.outputTokens)}</span>
          )}
          {answer.usage.costUsd ? <span>${answer.usage.costUsd.toFixed(4)}</span> : null}
        </p>
      )}
    </article>
  );
}
