import { randomUUID } from 'node:crypto';
import { type Answer, type ConversationTurn, continued } from 'aquifer';

/** A conversation with one knowledge base. */
export interface Session {
  readonly id: string;
  /** Oldest first. */
  readonly turns: readonly ConversationTurn[];
  /** Keeps what was asked and answered. A session of which nothing was kept is none yet. */
  keep(answer: Pick<Answer, 'question' | 'standaloneQuestion' | 'answer'>): void;
}

export interface SessionStore {
  begin(tenant: string, knowledgeBaseId: string): Session;
  /** Undefined for one that was forgotten, never was, or is of another tenant or knowledge base. */
  find(tenant: string, knowledgeBaseId: string, id: string): Session | undefined;
}

export interface SessionStoreOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** A session that is not asked for so long is forgotten. Default a day. */
  readonly idleMs?: number;
  /** Most sessions of one tenant; the one that was asked longest ago makes room. Default 1,000. */
  readonly mostSessions?: number;
}

const day = 24 * 60 * 60_000;

interface Entry {
  readonly knowledgeBaseId: string;
  turns: readonly ConversationTurn[];
  usedAt: number;
}

/** Keeps conversations in memory, a tenant's apart from another's. They end with the process. */
export function createSessionStore(options: SessionStoreOptions = {}): SessionStore {
  const { now = Date.now, idleMs = day, mostSessions = 1_000 } = options;
  /** By tenant and id, the least recently used first. */
  const tenants = new Map<string, Map<string, Entry>>();

  function sessionsOf(tenant: string): Map<string, Entry> {
    const sessions = tenants.get(tenant) ?? new Map<string, Entry>();
    tenants.set(tenant, sessions);
    return sessions;
  }

  function forget(): void {
    const oldest = now() - idleMs;
    for (const [tenant, sessions] of tenants) {
      for (const [id, { usedAt }] of sessions) {
        if (usedAt > oldest && sessions.size <= mostSessions) break;
        sessions.delete(id);
      }
      if (sessions.size === 0) tenants.delete(tenant);
    }
  }

  function session(tenant: string, id: string, entry: Entry): Session {
    return {
      id,
      turns: entry.turns,
      keep(answer) {
        entry.turns = continued(entry.turns, answer);
        entry.usedAt = now();
        const sessions = sessionsOf(tenant);
        sessions.delete(id);
        sessions.set(id, entry);
        forget();
      },
    };
  }

  return {
    begin: (tenant, knowledgeBaseId) => session(tenant, randomUUID(), { knowledgeBaseId, turns: [], usedAt: now() }),
    find(tenant, knowledgeBaseId, id) {
      forget();
      const entry = tenants.get(tenant)?.get(id);
      return entry?.knowledgeBaseId === knowledgeBaseId ? session(tenant, id, entry) : undefined;
    },
  };
}
