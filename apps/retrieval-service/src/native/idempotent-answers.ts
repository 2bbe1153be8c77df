import { Problem } from './problem.js';

const keptMs = 24 * 60 * 60_000;
const mostKept = 10_000;

/** A request that may come again. */
export interface RepeatableRequest<Answer> {
  /** Does what it asks for. */
  act(): Promise<{ readonly answer: Answer; readonly digest: string }>;
  /** The digest that `act` would give, without doing anything. */
  digest(): Promise<string>;
}

/**
 * Answers a request that is sent again with the same key as the first one was, also while that is still under way. A failure is not remembered: whoever failed
 * may try again with the same key. After draft-ietf-httpapi-idempotency-key-header.
 *
 * The function that it returns throws `idempotency-conflict` where the key came with another request before.
 */
export function createIdempotentAnswers<Answer>(now: () => number = Date.now) {
  const acts = new Map<string, { readonly at: number; readonly act: ReturnType<RepeatableRequest<Answer>['act']> }>();
  return async (key: string, { act, digest }: RepeatableRequest<Answer>): Promise<Answer> => {
    const known = acts.get(key);
    if (known !== undefined && now() - known.at < keptMs) {
      const [first, again] = await Promise.all([known.act, digest()]);
      if (first.digest === again) return first.answer;
      throw new Problem(
        'idempotency-conflict',
        'The Idempotency-Key was used for another request, and nothing of this one was kept: send it with a key of its own.',
      );
    }
    const acting = act();
    acts.set(key, { at: now(), act: acting });
    acting.catch(() => acts.delete(key));
    // In order of age.
    for (const [oldest] of acts) {
      if (acts.size <= mostKept) break;
      acts.delete(oldest);
    }
    return (await acting).answer;
  };
}
