import type { DocumentEvent, IndexProgress, Job, NamedFile } from '@aquifer/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useService } from '../access/service.js';

/** Files that were sent together, and how far the service is with them. */
export interface Upload {
  readonly number: number;
  readonly files: number;
  readonly job?: Job;
  readonly progress?: IndexProgress;
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** What went wrong with some of them. */
  readonly failed: readonly DocumentEvent[];
  readonly error?: unknown;
}

/** @param onDocument Called whenever documents may have changed. */
export function useUploads(onDocument: () => void) {
  const { client, ensureKnowledgeBase } = useService();
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const next = useRef(1);
  const changed = useRef(onDocument);
  changed.current = onDocument;
  // There from the first rendering on: files may be dropped before an effect has run.
  const leaving = useRef(new AbortController());
  useEffect(() => {
    if (leaving.current.signal.aborted) leaving.current = new AbortController();
    return () => leaving.current.abort();
  }, []);

  const send = useCallback(
    async (files: readonly NamedFile[]) => {
      if (files.length === 0) return;
      const number = next.current++;
      let current: Upload = { number, files: files.length, refused: [], failed: [] };
      setUploads((before) => [current, ...before]);
      const change = (changes: Partial<Upload>) => {
        current = { ...current, ...changes };
        setUploads((before) => before.map((each) => (each.number === number ? current : each)));
      };
      try {
        const { signal } = leaving.current;
        const { job, refused } = await client.addDocuments(await ensureKnowledgeBase(), { files });
        change({ job, refused });
        for await (const { event, data } of client.followJob(job.id, { signal })) {
          if (event === 'job') change({ job: data });
          else if (event === 'progress') change({ progress: data });
          else if (data.status === 'failed' || data.status === 'ignored' || data.status === 'left-out') {
            change({ failed: [...current.failed, data] });
          }
          if (event !== 'progress') changed.current();
        }
      } catch (error) {
        if (!leaving.current.signal.aborted) change({ error });
      }
    },
    [client, ensureKnowledgeBase],
  );
  return { uploads, send };
}
