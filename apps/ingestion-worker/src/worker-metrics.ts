import type { Stage, WorkerEvent } from 'aquifer';
import { stages } from 'aquifer';

/** What a worker has done since it began, in Prometheus' text format. */
export interface WorkerMetrics {
  count(event: WorkerEvent): void;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(stageSeconds: Readonly<Record<Stage, number>>): string;
}

const outcomes = ['indexed', 'partially-indexed', 'ignored', 'failed', 'unchanged', 'dead'] as const;

export function createWorkerMetrics(): WorkerMetrics {
  const documents = new Map<string, number>(outcomes.map((status) => [status, 0]));
  const attempts = { retry: 0, refused: 0 };
  let [chunks, tokens, seconds, trouble] = [0, 0, 0, 0];
  return {
    count(event) {
      if (event.type === 'trouble') {
        trouble += 1;
        return;
      }
      seconds += event.ms / 1000;
      if (event.status === 'retry' || event.status === 'refused') {
        attempts[event.status] += 1;
        return;
      }
      documents.set(event.status, (documents.get(event.status) ?? 0) + 1);
      chunks += event.chunks;
      tokens += event.tokens;
    },
    text(stageSeconds) {
      const metric = (name: string, help: string, samples: readonly (readonly [labels: string, value: number])[]) => [
        `# HELP aquifer_worker_${name} ${help}`,
        `# TYPE aquifer_worker_${name} counter`,
        ...samples.map(([labels, value]) => `aquifer_worker_${name}${labels} ${value}`),
      ];
      const failures = (documents.get('failed') ?? 0) + (documents.get('dead') ?? 0);
      return [
        ...metric(
          'documents_total',
          'Documents that were done, by what became of them.',
          [...documents].map(([status, count]) => [`{status="${status}"}`, count] as const),
        ),
        ...metric('failures_total', 'Documents that could not be indexed.', [['', failures]]),
        ...metric('attempts_failed_total', 'Attempts that are made again, here or elsewhere.', [
          ['{reason="retry"}', attempts.retry],
          ['{reason="refused"}', attempts.refused],
        ]),
        ...metric('trouble_total', 'Times that the queue did not answer.', [['', trouble]]),
        ...metric('chunks_total', 'Chunks that were written.', [['', chunks]]),
        ...metric('tokens_total', 'Tokens that the embedder took.', [['', tokens]]),
        ...metric('job_seconds_total', 'Seconds that documents were in work, each counted.', [['', round(seconds)]]),
        ...metric(
          'stage_seconds_total',
          'Seconds that documents were in each stage, each counted.',
          stages.map((stage) => [`{stage="${stage}"}`, round(stageSeconds[stage])] as const),
        ),
        '',
      ].join('\n');
    },
  };
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;
