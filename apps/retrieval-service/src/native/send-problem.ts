import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.js';
import { problemAnswer } from './problem.js';

/** Answers with what was thrown, as problem details, where no router does it. */
export function sendProblem(
  exchange: Exchange,
  thrown: unknown,
  requestId: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const { status, body, retryAfterSeconds } = problemAnswer(thrown, requestId);
  exchange.send(
    status,
    {
      ...headers,
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    },
    JSON.stringify(body),
  );
}
