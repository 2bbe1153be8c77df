import { type SignableRequest, verifySignature, WireException } from '@aquifer/bedrock-wire';
import { defaultTenant } from '../hosting/folder-host.js';
import { Problem } from '../native/problem.js';
import type { KeyRing, KeyScope, UsableKey } from './key-ring.js';
import { createRateLimits } from './rate-limits.js';

/** Who asks. Made from the key of a request and nothing else of it. */
export interface Caller {
  readonly tenant: string;
  /** Absent where there are no keys, and the service is only for this machine. */
  readonly keyId?: string;
}

export interface AccessControl {
  /**
   * The caller of a request that may do what it asks for.
   *
   * @throws as AWS says it, `WireException`: no key, an unknown or expired or revoked one, a wrong or old signature, a scope that is missing, too
   *   many requests.
   */
  admit(request: SignableRequest, scope: KeyScope): Caller;
  /** Tokens that a model took for this caller: counted against the limit of its key. */
  took(caller: Caller, tokens: number): void;
}

/** @param now Milliseconds since 1970: what signatures and the expiry of keys are held against. */
export function createAccessControl(keys: Pick<KeyRing, 'usable'> | undefined, now: () => number): AccessControl {
  const limits = createRateLimits();
  const byId = new Map<string, UsableKey>();
  return {
    admit(request, scope) {
      if (keys === undefined) return { tenant: defaultTenant };
      const key = verifySignature(request, { keys: keys.usable(now()), service: 'bedrock', now: now() });
      if (!key.scopes.includes(scope)) {
        throw new ScopeMissing(key, scope);
      }
      const seconds = limits.request(key.id, key);
      if (seconds !== undefined) {
        throw new WireException({
          name: 'ThrottlingException',
          message: `The key ${key.id} has used up what it may do in a minute. Try again in ${seconds} s.`,
          retryAfterSeconds: seconds,
        });
      }
      byId.set(key.id, key);
      return { tenant: key.tenant, keyId: key.id };
    },
    took({ keyId }, tokens) {
      const key = keyId === undefined ? undefined : byId.get(keyId);
      if (key !== undefined) limits.tokens(key.id, key, tokens);
    },
  };
}

class ScopeMissing extends WireException {
  constructor({ id, scopes }: UsableKey, needed: KeyScope) {
    const message = `The key ${id} may not do this: it has ${scopes.join(', ') || 'no scope'}, and this needs ${needed}.`;
    super({ name: 'AccessDeniedException', message });
  }
}

/** A refusal in the words of the API of our own. */
export function refusalOf(thrown: unknown): unknown {
  if (!(thrown instanceof WireException)) return thrown;
  const { name, message, retryAfterSeconds } = thrown.error;
  if (name === 'ThrottlingException') return new Problem('rate-limited', message, retryAfterSeconds);
  return new Problem(thrown instanceof ScopeMissing ? 'forbidden' : 'unauthenticated', message);
}
