import type { Answer, Citation, SearchResponse } from '@aquifer/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useService } from '../access/service.js';

/** An answer as far as it has come. */
export interface Asking {
  readonly question: string;
  readonly state: 'searching' | 'answering' | 'done' | 'stopped' | 'failed';
  readonly text: string;
  readonly citations: readonly Citation[];
  readonly search?: SearchResponse;
  readonly answer?: Answer;
  readonly error?: unknown;
}

export function useAsking() {
  const { client, knowledgeBase } = useService();
  const [asking, setAsking] = useState<Asking>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const ask = useCallback(
    async (question: string) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      let current: Asking = { question, state: 'searching', text: '', citations: [] };
      const change = (changes: Partial<Asking>) => {
        current = { ...current, ...changes };
        // A question that came after this one has the page.
        if (running.current === controller) setAsking(current);
      };
      change({});
      try {
        for await (const { event, data } of client.askStreaming(knowledgeBase, { question }, controller)) {
          if (event === 'search') change({ search: data.search });
          else if (event === 'text') change({ state: 'answering', text: current.text + data.text });
          else if (event === 'citation') change({ citations: [...current.citations, data] });
          else if (event === 'answer') {
            change({ state: 'done', answer: data, text: data.answer, citations: data.citations });
          }
        }
      } catch (error) {
        change(controller.signal.aborted ? { state: 'stopped' } : { state: 'failed', error });
      }
    },
    [client, knowledgeBase],
  );
  const stop = useCallback(() => running.current?.abort(), []);
  return { asking, ask, stop };
}
