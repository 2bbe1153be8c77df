import { type DependencyList, useCallback, useEffect, useState } from 'react';

export interface Loaded<Value> {
  readonly value?: Value;
  readonly error?: unknown;
  reload(): void;
}

/** What a request gives, asked again when one of the dependencies changes; the old value stays until the new one is there. */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  dependencies: DependencyList,
): Loaded<Value> {
  const [state, setState] = useState<{ readonly value?: Value; readonly error?: unknown }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState({ error });
      },
    );
    return () => controller.abort();
  }, [...dependencies, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, reload };
}
