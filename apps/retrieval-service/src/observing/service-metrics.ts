import type { ObservedRequest } from './request-observer.js';

/** What is counted from outside of requests, at the moment that somebody looks. */
export interface Gauges {
  readonly requestsInFlight: number;
  /** Queued and running jobs. */
  readonly jobsUnfinished: number;
  readonly isReady: boolean;
}

/** What the service has done since it began, in Prometheus' text format. */
export interface ServiceMetrics {
  count(request: ObservedRequest, answer: { readonly status: number; readonly seconds: number }): void;
  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
  text(gauges: Gauges): string;
}

/** Upper bounds, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Models have the names that callers give them: more of them than this are counted together. */
const mostModels = 100;

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

export function createServiceMetrics(): ServiceMetrics {
  const startedAt = Date.now() / 1000;
  const requests = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  const stages = new Map<string, Histogram>();
  const tokens = new Map<string, number>();
  const costs = new Map<string, number>();
  const models = new Set<string>();

  const add = (counters: Map<string, number>, labels: string, value: number) =>
    counters.set(labels, (counters.get(labels) ?? 0) + value);
  const observe = (histograms: Map<string, Histogram>, labels: string, seconds: number) => {
    const known = histograms.get(labels) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
    histograms.set(labels, known);
    known.sum += seconds;
    known.count += 1;
    buckets.forEach((bound, index) => {
      if (seconds <= bound) known.counts[index]! += 1;
    });
  };
  const modelLabel = (model: string): string => {
    if (models.size < mostModels) models.add(model);
    return models.has(model) ? model : 'other';
  };

  return {
    count({ operation, usages, ms }, { status, seconds }) {
      add(requests, labelled({ operation, status: String(status) }), 1);
      observe(durations, labelled({ operation }), seconds);
      for (const [stage, each] of Object.entries(ms)) observe(stages, labelled({ stage }), each / 1000);
      for (const { model: named, inputTokens, outputTokens, costUsd } of usages) {
        const model = modelLabel(named);
        add(tokens, labelled({ model, direction: 'in' }), inputTokens);
        add(tokens, labelled({ model, direction: 'out' }), outputTokens);
        if (costUsd !== undefined) add(costs, labelled({ model }), costUsd);
      }
    },
    text({ requestsInFlight, jobsUnfinished, isReady }) {
      const { rss, heapUsed } = process.memoryUsage();
      return [
        ...simple('requests_total', 'counter', 'Requests that were answered, or broken off (status 0).', requests),
        ...histogram('request_seconds', 'From the first byte of a request to the last of its answer.', durations),
        ...histogram('stage_seconds', 'Stages of searching and answering.', stages),
        ...simple('tokens_total', 'counter', 'Tokens that models took; estimated where they do not say.', tokens),
        ...simple('cost_usd_total', 'counter', 'What answers cost, where the price is known.', costs),
        ...one('requests_in_flight', 'gauge', 'Requests that are not answered yet.', requestsInFlight),
        ...one('jobs_unfinished', 'gauge', 'Jobs that wait or run.', jobsUnfinished),
        ...one('ready', 'gauge', 'Whether GET /readyz says so.', isReady ? 1 : 0),
        ...one('resident_memory_bytes', 'gauge', 'Memory of the process.', rss),
        ...one('heap_bytes', 'gauge', 'Heap of JavaScript in use.', heapUsed),
        ...one('start_time_seconds', 'gauge', 'When the service began, in seconds since 1970.', startedAt),
        '',
      ].join('\n');
    },
  };
}

function simple(name: string, type: 'counter' | 'gauge', help: string, samples: ReadonlyMap<string, number>): string[] {
  return [...heading(name, type, help), ...[...samples].map(([labels, value]) => `aquifer_${name}${labels} ${value}`)];
}

function one(name: string, type: 'counter' | 'gauge', help: string, value: number): string[] {
  return simple(name, type, help, new Map([['', value]]));
}

function histogram(name: string, help: string, samples: ReadonlyMap<string, Histogram>): string[] {
  return [
    ...heading(name, 'histogram', help),
    ...[...samples].flatMap(([labels, { counts, sum, count }]) => {
      const inner = labels.slice(1, -1);
      const bucket = (bound: number | string, value: number) =>
        `aquifer_${name}_bucket{${inner},le="${bound}"} ${value}`;
      return [
        ...buckets.map((bound, index) => bucket(bound, counts[index]!)),
        bucket('+Inf', count),
        `aquifer_${name}_sum${labels} ${sum}`,
        `aquifer_${name}_count${labels} ${count}`,
      ];
    }),
  ];
}

function heading(name: string, type: string, help: string): string[] {
  return [`# HELP aquifer_${name} ${help}`, `# TYPE aquifer_${name} ${type}`];
}

function labelled(labels: Readonly<Record<string, string>>): string {
  const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value.slice(0, 200))}"`);
  return `{${pairs.join(',')}}`;
}
