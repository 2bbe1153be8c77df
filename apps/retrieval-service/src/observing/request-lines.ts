import { appendFile } from 'node:fs/promises';
import { AquiferError } from '@aquifer/contracts';
import { pathOf } from '../exchange.js';
import type { ObservedRequest } from './request-observer.js';

export interface AnsweredRequest extends ObservedRequest {
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  /** 0 where the caller was gone before there was one. */
  readonly status: number;
  readonly seconds: number;
  /** Whether the answer broke off before its end. */
  readonly isBroken: boolean;
}

/**
 * A request as one line of JSON. No query (signatures can be in it), no header, no body, nothing of a document.
 *
 * @example
 * requestLine(request); // '{"at":"2026-11-28T04:51:36.000Z","requestId":"…","method":"POST","path":"/v1/…/search","status":200,"ms":12.3,…}'
 */
export function requestLine(request: AnsweredRequest): string {
  const { requestId, method, target, operation, status, seconds, caller, usages, ms, isBroken } = request;
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
  const inputTokens = sum(usages.map((each) => each.inputTokens));
  const outputTokens = sum(usages.map((each) => each.outputTokens));
  return JSON.stringify({
    at: new Date().toISOString(),
    requestId,
    method,
    path: pathOf(target).slice(0, 1_000),
    operation,
    status,
    ...(isBroken && { broken: true }),
    ms: Math.round(seconds * 100_000) / 100,
    ...(caller && { tenant: caller.tenant }),
    ...(caller?.keyId && { keyId: caller.keyId }),
    ...(usages.length > 0 && { inputTokens, outputTokens }),
    ...(Object.keys(ms).length > 0 && { stages: ms }),
  });
}

export interface RequestLog {
  keep(request: AnsweredRequest): void;
  /** Resolves when all lines are in the file. */
  close(): Promise<void>;
}

/**
 * A file that gets a line for each request. It is opened again when it was moved away, so that whatever rotates logs needs no signal.
 *
 * @throws `invalid-options` when it cannot be written.
 */
export async function openRequestLog(path: string): Promise<RequestLog> {
  let lines = '';
  let writing: Promise<void> = Promise.resolve();
  const write = async () => {
    const text = lines;
    lines = '';
    if (text !== '') await appendFile(path, text, { mode: 0o600 });
  };
  try {
    await appendFile(path, '', { mode: 0o600 });
  } catch (cause) {
    throw new AquiferError('invalid-options', `The request log cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
  return {
    keep(request) {
      const isFirst = lines === '';
      lines += `${requestLine(request)}\n`;
      // A full disk ends the log, not the service.
      if (isFirst) writing = writing.then(write).catch(() => {});
    },
    close: () => writing,
  };
}
