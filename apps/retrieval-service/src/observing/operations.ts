import type { QueueDepth } from 'aquifer';
import { type AccessControl, refusalOf } from '../access/access-control.js';
import { type Exchange, pathOf } from '../exchange.js';
import type { KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';
import type { JobLog } from '../jobs/job-log.js';
import { sendProblem } from '../native/send-problem.js';
import { settlesWithin } from '../native/settles-within.js';
import { createReadiness } from './readiness.js';
import type { AnsweredRequest } from './request-lines.js';
import type { RequestObservation } from './request-observer.js';
import type { ServiceMetrics } from './service-metrics.js';

/** What those ask who run the service: `GET /healthz`, `/readyz` and `/metrics`. */
export interface Operations {
  answers(method: string, path: string): boolean;
  answer(exchange: Exchange, observation: RequestObservation): Promise<void>;
  /** Counts a request that begins. */
  begun(): { ended(request: AnsweredRequest): void };
}

const paths = ['/healthz', '/readyz', '/metrics'] as const;
/** A probe has no body; one that is sent is thrown away. */
const mostBytes = 64 * 1024;
const queuePatienceMs = 2_000;

export function createOperations(options: {
  readonly access: AccessControl;
  readonly host: KnowledgeBaseHost | undefined;
  readonly jobs: JobLog;
  readonly metrics: ServiceMetrics;
  readonly signal: AbortSignal;
}): Operations {
  const { access, host, jobs, metrics, signal } = options;
  const readiness = createReadiness(host, signal);
  let requestsInFlight = 0;

  const sendJson = (exchange: Exchange, requestId: string, status: number, body: object) =>
    exchange.send(status, { 'x-request-id': requestId, 'content-type': 'application/json' }, JSON.stringify(body));

  /** Whose key may; where there are no keys only this machine can ask at all. */
  function admitted(exchange: Exchange, body: Buffer, observation: RequestObservation): boolean {
    try {
      const { method, target, headers } = exchange;
      observation.admitted(access.admit({ method, target, headers, body }, 'admin'));
      return true;
    } catch (thrown) {
      sendProblem(exchange, refusalOf(thrown), observation.requestId);
      return false;
    }
  }

  return {
    answers: (method, path) => method === 'GET' && paths.some((each) => each === path),
    async answer(exchange, observation) {
      const path = pathOf(exchange.target);
      const { requestId } = observation;
      observation.isOf(`GET ${path}`);
      // What is not read would be taken for the next request of the connection.
      const body = (await exchange.readBody(mostBytes)) ?? Buffer.alloc(0);
      if (path === '/healthz') {
        sendJson(exchange, requestId, 200, { status: 'ok' });
      } else if (path === '/readyz') {
        const { isReady, checks } = await readiness.now();
        sendJson(exchange, requestId, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', checks });
      } else if (admitted(exchange, body, observation)) {
        const { isReady } = await readiness.now();
        const queue = await queueOf(host);
        const text = metrics.text({ requestsInFlight, jobsUnfinished: jobs.unfinished(), queue, isReady });
        exchange.send(
          200,
          { 'x-request-id': requestId, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
          text,
        );
      }
    },
    begun() {
      requestsInFlight += 1;
      return {
        ended(request) {
          requestsInFlight -= 1;
          metrics.count(request, request);
        },
      };
    },
  };
}

/** Undefined where there is none, or the database does not answer: what else there is to see is wanted then most of all. */
async function queueOf(host: KnowledgeBaseHost | undefined): Promise<QueueDepth | undefined> {
  const queue = host?.queue?.().catch(() => undefined);
  return queue !== undefined && (await settlesWithin(queue, queuePatienceMs)) ? queue : undefined;
}
