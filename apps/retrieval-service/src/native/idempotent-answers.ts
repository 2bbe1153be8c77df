const keptMs = 24 * 60 * 60_000;
const mostKept = 10_000;

/**
 * Answers a request that is sent again with the same key as the first one was, also while that is still under way. A failure is not remembered: whoever failed
 * may try again with the same key. After draft-ietf-httpapi-idempotency-key-header.
 */
export function createIdempotentAnswers<Answer>(now: () => number = Date.now) {
  const answers = new Map<string, { readonly at: number; readonly answer: Promise<Answer> }>();
  return (key: string | undefined, answer: () => Promise<Answer>): Promise<Answer> => {
    if (key === undefined) return answer();
    const known = answers.get(key);
    if (known !== undefined && now() - known.at < keptMs) return known.answer;
    const made = answer();
    answers.set(key, { at: now(), answer: made });
    made.catch(() => answers.delete(key));
    // In order of age.
    for (const [oldest] of answers) {
      if (answers.size <= mostKept) break;
      answers.delete(oldest);
    }
    return made;
  };
}
