import type { IndexUsage, QueueDepth } from 'aquifer';
import type { ModelUsage, ObservedRequest } from './request-observer.js';

/** What is counted from outside of requests, at the moment that somebody looks. */
export interface Gauges {
  readonly requestsInFlight: number;
  /** Queued and running jobs. */
  readonly jobsUnfinished: number;
  /** Of the database, whoever's they are. Absent where there is none, or it does not answer. */
  readonly queue?: QueueDepth | undefined;
  readonly isReady: boolean;
}

/** What the service has done since it began, in Prometheus' text format. */
export interface ServiceMetrics {
  count(
    request: Pick<ObservedRequest, 'operation' | 'ms'>,
    answer: { readonly status: number; readonly seconds: number },
  ): void;
  took(usage: ModelUsage): void;
  embedded(usage: IndexUsage): void;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(gauges: Gauges): string;
}

/** Upper bounds, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Models have the names that callers give them: more of them than this are counted together. */
const mostModels = 100;
const longestModel = 200;

type Labels = Readonly<Record<string, string>>;

interface Counter {
  readonly labels: Labels;
  value: number;
}

interface Histogram {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

export function createServiceMetrics(): ServiceMetrics {
  const startedAt = Date.now() / 1000;
  const requests = new Map<string, Counter>();
  const durations = new Map<string, Histogram>();
  const stages = new Map<string, Histogram>();
  const tokens = new Map<string, Counter>();
  const costs = new Map<string, Counter>();
  const cacheLookups = new Map<string, Counter>();
  const models = new Set<string>();

  // Every request passes here: labels are written as text when somebody looks.
  const add = (counters: Map<string, Counter>, labels: Labels, value: number) => {
    const key = keyOf(labels);
    const known = counters.get(key);
    if (known === undefined) counters.set(key, { labels, value });
    else known.value += value;
  };
  const observe = (histograms: Map<string, Histogram>, labels: Labels, seconds: number) => {
    const key = keyOf(labels);
    let known = histograms.get(key);
    if (known === undefined) {
      known = { labels, counts: buckets.map(() => 0), sum: 0, count: 0 };
      histograms.set(key, known);
    }
    known.sum += seconds;
    known.count += 1;
    for (let index = buckets.length - 1; index >= 0 && seconds <= buckets[index]!; index--) known.counts[index]! += 1;
  };
  const modelLabel = (named: string): string => {
    const model = named.slice(0, longestModel);
    if (models.size < mostModels) models.add(model);
    return models.has(model) ? model : 'other';
  };

  const took = ({ model: named, inputTokens, outputTokens, costUsd }: ModelUsage): void => {
    const model = modelLabel(named);
    add(tokens, { model, direction: 'in' }, inputTokens);
    add(tokens, { model, direction: 'out' }, outputTokens);
    if (costUsd !== undefined) add(costs, { model }, costUsd);
  };
  // Who watches a rate wants to see where it begins.
  for (const result of ['hit', 'miss']) add(cacheLookups, { result }, 0);

  return {
    count({ operation, ms }, { status, seconds }) {
      add(requests, { operation, status: String(status) }, 1);
      observe(durations, { operation }, seconds);
      for (const [stage, each] of Object.entries(ms)) observe(stages, { stage }, each / 1000);
    },
    took,
    embedded({ embedder: model, tokens: inputTokens, costUsd, embedded, cacheHits }) {
      if (inputTokens > 0) took({ model, inputTokens, outputTokens: 0, ...(costUsd !== undefined && { costUsd }) });
      add(cacheLookups, { result: 'hit' }, cacheHits);
      add(cacheLookups, { result: 'miss' }, embedded);
    },
    text({ requestsInFlight, jobsUnfinished, queue, isReady }) {
      const { rss, heapUsed } = process.memoryUsage();
      return [
        ...counter('requests_total', 'Requests that were answered, or broken off (status 0).', requests),
        ...histogram('request_seconds', 'From the first byte of a request to the last of its answer.', durations),
        ...histogram('stage_seconds', 'Stages of searching and answering.', stages),
        ...counter('tokens_total', 'Tokens that models took; estimated where they do not say.', tokens),
        ...counter('cost_usd_total', 'What models cost, where the price is known.', costs),
        ...counter(
          'embedding_cache_total',
          'Chunks of documents whose vector was there already (hit) or had to be made (miss).',
          cacheLookups,
        ),
        ...gauge('requests_in_flight', 'Requests that are not answered yet.', requestsInFlight),
        ...gauge('jobs_unfinished', 'Jobs of this process that wait or run.', jobsUnfinished),
        ...(queue === undefined
          ? []
          : [
              ...gauge(
                'queue_waiting',
                'Documents in the queue of the database that no worker has taken.',
                queue.waiting,
              ),
              ...gauge('queue_running', 'Documents that workers have in work.', queue.running),
              ...gauge('queue_workers', 'Workers that live.', queue.workers),
            ]),
        ...gauge('ready', 'Whether GET /readyz says so.', isReady ? 1 : 0),
        ...gauge('resident_memory_bytes', 'Memory of the process.', rss),
        ...gauge('heap_bytes', 'Heap of JavaScript in use.', heapUsed),
        ...gauge('start_time_seconds', 'When the service began, in seconds since 1970.', startedAt),
        '',
      ].join('\n');
    },
  };
}

function counter(name: string, help: string, samples: ReadonlyMap<string, Counter>): string[] {
  return [
    ...heading(name, 'counter', help),
    ...[...samples.values()].map(({ labels, value }) => `aquifer_${name}{${labelled(labels)}} ${value}`),
  ];
}

function gauge(name: string, help: string, value: number): string[] {
  return [...heading(name, 'gauge', help), `aquifer_${name} ${value}`];
}

function histogram(name: string, help: string, samples: ReadonlyMap<string, Histogram>): string[] {
  return [
    ...heading(name, 'histogram', help),
    ...[...samples.values()].flatMap(({ labels, counts, sum, count }) => {
      const inner = labelled(labels);
      const bucket = (bound: number | string, value: number) =>
        `aquifer_${name}_bucket{${inner},le="${bound}"} ${value}`;
      return [
        ...buckets.map((bound, index) => bucket(bound, counts[index]!)),
        bucket('+Inf', count),
        `aquifer_${name}_sum{${inner}} ${sum}`,
        `aquifer_${name}_count{${inner}} ${count}`,
      ];
    }),
  ];
}

function heading(name: string, type: string, help: string): string[] {
  return [`# HELP aquifer_${name} ${help}`, `# TYPE aquifer_${name} ${type}`];
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join('\0');
}

function labelled(labels: Labels): string {
  const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.join(',');
}
