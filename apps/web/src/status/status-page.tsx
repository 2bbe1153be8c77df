import type { Job, KnowledgeBaseStatus } from '@aquifer/client';
import { useService } from '../access/service.js';
import { readableSize } from '../documents/readable-size.js';
import { useMessages } from '../language/language.js';
import { useLoaded } from '../shell/loaded.js';
import { Link } from '../shell/path.js';
import { Problem } from '../shell/problem.js';
import { allDocuments } from './all-documents.js';
import { BarChart } from './bar-chart.js';
import { growth } from './growth.js';

const mostJobs = 40;

export function StatusPage() {
  const messages = useMessages();
  const { client, knowledgeBase, knowledgeBases } = useService();
  const isThere = knowledgeBases.length > 0;
  const { value, error, reload } = useLoaded(
    async (signal) => {
      if (!isThere) return undefined;
      const [status, { jobs }, documents] = await Promise.all([
        client.getKnowledgeBase(knowledgeBase, { signal }),
        client.listJobs({ limit: 1_000, signal }),
        allDocuments(client, knowledgeBase, { signal }),
      ]);
      return {
        status,
        jobs: jobs.filter(({ knowledgeBaseId }) => knowledgeBaseId === status.knowledgeBase.id),
        documents,
      };
    },
    [knowledgeBase, isThere],
  );
  const when = (at: number) =>
    new Date(at).toLocaleString(messages.locale, { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <>
      <h1 className="hidden">{messages.status}</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {!isThere && (
        <p className="callout">
          {messages.noDocuments} <Link href="/documents">{messages.addDocuments}</Link>
        </p>
      )}
      {value && (
        <>
          <StatusFacts status={value.status} />
          <JobChart jobs={value.jobs} when={when} />
          <BarChart
            title={messages.growth}
            valueTitle={messages.chunks}
            bars={growth(value.documents).map(({ at, chunks }) => ({
              label: when(at),
              value: chunks,
              shown: chunks.toLocaleString(messages.locale),
            }))}
          />
          <h2>{messages.failures}</h2>
          {value.status.failures.length === 0 && <p>{messages.noFailures}</p>}
          <ul className="failures">
            {value.status.failures.map(({ source, reason }) => (
              <li key={source}>
                <strong>{source}</strong> {reason}
              </li>
            ))}
          </ul>
        </>
      )}
      <p>
        <a href="/docs">HTTP API</a>
      </p>
    </>
  );
}

function StatusFacts({ status }: { readonly status: KnowledgeBaseStatus }) {
  const messages = useMessages();
  const { locale } = messages;
  const { documents, chunks, tokens, bytes, embedder, index, generation, queue, lastRun } = status;
  const statuses = Object.entries(documents) as [keyof typeof messages.statusOf, number][];
  return (
    <dl className="cards">
      <div>
        <dt>{messages.documents}</dt>
        <dd>
          {statuses.reduce((sum, [, count]) => sum + count, 0).toLocaleString(locale)}
          <span className="small">
            {statuses
              .filter(([, count]) => count > 0)
              .map(([name, count]) => `${messages.statusOf[name]} ${count.toLocaleString(locale)}`)
              .join(' · ')}
          </span>
        </dd>
      </div>
      <div>
        <dt>{messages.chunks}</dt>
        <dd>
          {chunks.toLocaleString(locale)}
          <span className="small">
            {messages.tokensTotal} {tokens.toLocaleString(locale)}
          </span>
        </dd>
      </div>
      <div>
        <dt>{messages.size}</dt>
        <dd>
          {readableSize(bytes, locale)}
          <span className="small">
            {messages.generation} {generation}
          </span>
        </dd>
      </div>
      <div>
        <dt>{messages.index}</dt>
        <dd>
          {messages.indexKinds[index.kind]}
          <span className="small">{messages.vectors(index.vectors)}</span>
          {index.pending ? <span className="small">{messages.pending(index.pending)}</span> : null}
          {index.note && <span className="small">{index.note}</span>}
        </dd>
      </div>
      <div>
        <dt>{messages.embedder}</dt>
        <dd>
          {embedder.name}
          <span className="small">{messages.dimensions(embedder.dimensions)}</span>
        </dd>
      </div>
      {lastRun && (
        <div>
          <dt>{messages.lastRun}</dt>
          <dd>
            {new Date(lastRun.finishedAt).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })}
            <span className="small">{messages.embeddedAndCached(lastRun.embedded, lastRun.cacheHits)}</span>
            <span className="small">{messages.seconds((lastRun.ms / 1_000).toFixed(1))}</span>
          </dd>
        </div>
      )}
      {lastRun && (
        <div>
          <dt>
            {messages.cost} · {messages.lastRun}
          </dt>
          <dd>
            {lastRun.costUsd === undefined ? messages.costNone : `$${lastRun.costUsd.toFixed(4)}`}
            <span className="small">
              {messages.tokensTotal} {lastRun.tokens.toLocaleString(locale)}
            </span>
          </dd>
        </div>
      )}
      {queue && (
        <div>
          <dt>{messages.queue}</dt>
          <dd>
            {queue.waiting.toLocaleString(locale)}
            <span className="small">
              {messages.queueCounts(queue.waiting, queue.running, queue.failed, queue.workers)}
            </span>
            {queue.note && <span className="small">{queue.note}</span>}
          </dd>
        </div>
      )}
    </dl>
  );
}

/** Chunks a second of each job, the oldest first. */
function JobChart({ jobs, when }: { readonly jobs: readonly Job[]; when(at: number): string }) {
  const messages = useMessages();
  const bars = jobs
    .slice(0, mostJobs)
    .reverse()
    .flatMap(({ startedAt, finishedAt, summary }) => {
      if (startedAt === undefined || finishedAt === undefined || !summary?.chunks) return [];
      const value = summary.chunks / Math.max(0.001, summary.ms / 1_000);
      const cost = summary.costUsd === undefined ? '' : ` · $${summary.costUsd.toFixed(4)}`;
      return [{ label: when(finishedAt), value, shown: `${messages.perSecond(Math.round(value))}${cost}` }];
    });
  if (bars.length === 0) return <p className="small">{messages.throughputNone}</p>;
  return <BarChart title={messages.throughput} valueTitle={messages.throughput} bars={bars} />;
}
