import type { SearchRequest } from '@aquifer/client';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { useLoaded } from '../shell/loaded.js';
import { Problem } from '../shell/problem.js';

const legs = ['dense', 'keyword', 'fused', 'rerank'] as const;

/** Where a document's best chunk stood in each leg, and what dropped it. */
export function ExplanationView({
  request,
  documentId,
}: {
  readonly request: SearchRequest;
  readonly documentId: string;
}) {
  const messages = useMessages();
  const { client, knowledgeBase } = useService();
  const { value, error } = useLoaded(
    (signal) => client.explain(knowledgeBase, { ...request, documentId }, { signal }),
    [request, documentId],
  );
  if (error !== undefined) return <Problem error={error} />;
  if (value === undefined) return <p className="small">{messages.loading}</p>;
  return (
    <div className="explanation" role="status">
      <p>
        <strong>{value.source}</strong>: {value.reason}
      </p>
      {value.best && (
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{messages.rank}</th>
              <th scope="col">{messages.score}</th>
            </tr>
          </thead>
          <tbody>
            {legs.map((leg) => {
              const standing = value.best?.[leg];
              if (standing === undefined && leg === 'rerank') return null;
              return (
                <tr key={leg}>
                  <th scope="row">{messages.legs[leg]}</th>
                  <td>{standing === undefined ? messages.notInLeg : (standing.rank ?? '> 10,000')}</td>
                  <td>{standing?.score.toFixed(4)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </div>
  );
}
