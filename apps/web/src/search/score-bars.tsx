import { useMessages } from '../language/language.js';

type Scores = Readonly<Record<'fused' | 'dense' | 'keyword' | 'rerank', number | undefined>>;

const legs = ['fused', 'dense', 'keyword', 'rerank'] as const;

/** What each leg gave, as a number and a bar against the best of the results. */
export function ScoreBars({ scores, best }: { readonly scores: Partial<Scores>; readonly best: Partial<Scores> }) {
  const messages = useMessages();
  return (
    <dl className="scores">
      {legs.map((leg) => {
        const score = scores[leg];
        if (best[leg] === undefined) return null;
        const share = score === undefined || !best[leg] ? 0 : Math.max(0, Math.min(1, score / best[leg]));
        return (
          <div key={leg}>
            <dt>{messages.legs[leg]}</dt>
            <dd>
              {score === undefined ? <span title={messages.notInLeg}>–</span> : score.toFixed(3)}
              <span className={`bar ${leg}`} aria-hidden="true" style={{ width: `${share * 100}%` }} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
