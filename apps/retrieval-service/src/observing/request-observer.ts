import type { IndexUsage } from 'aquifer';
import type { AccessControl, Caller } from '../access/access-control.js';
import type { AuditEntry, AuditLog } from './audit-log.js';
import type { ServiceMetrics } from './service-metrics.js';

/** Tokens of one call of a model. */
export interface ModelUsage {
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number;
}

/** What was done with a knowledge base, without who did it. */
export type KnowledgeBaseAccess = Omit<AuditEntry, 'at' | 'requestId' | 'tenant' | 'keyId'>;

/** What models take is counted as it happens: a job that a request began may end long after it. */
export interface UsageObserver {
  /** Counted against the limits of the caller's key. */
  took(usage: ModelUsage): void;
  /** As `took`, for documents: what was embedded, and what the embedding cache had. It is no part of what the request itself took. */
  embedded(usage: IndexUsage): void;
}

/** What a request is seen to do while it goes on. */
export interface RequestObserver extends UsageObserver {
  /**
   * Resolves when it is written down, where that is kept: before what it is about leaves the service.
   *
   * @throws what the audit log fails with: what cannot be written down is not handed out.
   */
  accessed(access: KnowledgeBaseAccess): Promise<void>;
  /** Milliseconds by stage. */
  timed(ms: Readonly<Record<string, number>>): void;
}

/** What is known of a request when it is over. */
export interface ObservedRequest {
  readonly requestId: string;
  /** Absent for one that was not admitted. */
  readonly caller?: Caller;
  /** Such as `POST /v1/knowledge-bases/:knowledgeBase/search` or `InvokeModel`; `unknown` for what there is not. */
  readonly operation: string;
  readonly usages: readonly ModelUsage[];
  readonly ms: Readonly<Record<string, number>>;
}

export interface RequestObservation extends RequestObserver, ObservedRequest {
  isOf(operation: string): void;
  admitted(caller: Caller): void;
}

/** Observes one request from its first byte on. */
export function observeRequest(
  requestId: string,
  {
    access,
    audit,
    metrics,
  }: {
    readonly access: Pick<AccessControl, 'took'>;
    readonly audit: AuditLog | undefined;
    readonly metrics: Pick<ServiceMetrics, 'took' | 'embedded'>;
  },
): RequestObservation {
  const usages: ModelUsage[] = [];
  const ms: Record<string, number> = {};
  // Fields, not getters, as in an exchange: each request has one of these.
  const observation: RequestObservation & { caller?: Caller; operation: string } = {
    requestId,
    operation: 'unknown',
    usages,
    ms,
    isOf(name) {
      observation.operation = name;
    },
    admitted(who) {
      observation.caller = who;
    },
    async accessed(what) {
      const { caller } = observation;
      if (audit === undefined || caller === undefined) return;
      const { tenant, keyId } = caller;
      await audit.write({ at: new Date().toISOString(), requestId, tenant, ...(keyId && { keyId }), ...what });
    },
    took(usage) {
      usages.push(usage);
      metrics.took(usage);
      const { caller } = observation;
      if (caller) access.took(caller, usage.inputTokens + usage.outputTokens);
    },
    embedded(usage) {
      metrics.embedded(usage);
      const { caller } = observation;
      if (caller) access.took(caller, usage.tokens);
    },
    timed(stages) {
      for (const [stage, each] of Object.entries(stages)) ms[stage] = (ms[stage] ?? 0) + each;
    },
  };
  return observation;
}
