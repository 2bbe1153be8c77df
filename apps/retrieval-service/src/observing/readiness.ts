import { isAquiferError } from '@aquifer/contracts';
import { defaultTenant } from '../hosting/folder-host.js';
import type { KnowledgeBaseHost } from '../hosting/knowledge-base-host.js';

export interface Readiness {
  readonly isReady: boolean;
  /** The code of what is wrong, and no more: anybody may ask. */
  readonly checks: Readonly<Record<'store' | 'models' | 'service', string>>;
}

const patienceMs = 5_000;
/** Probes of many balancers cost no more than those of one. */
const keptMs = 1_000;

/** Whether requests can be answered: the store answers, and the models of what is served are loaded. */
export function createReadiness(
  host: KnowledgeBaseHost | undefined,
  ending: AbortSignal,
): { now(): Promise<Readiness> } {
  let known: { readonly until: number; readonly answer: Promise<Readiness> } | undefined;

  async function ask(): Promise<Readiness> {
    const store = await outcome(async () => void (await host?.list(defaultTenant)));
    const models = store === 'ok' ? await outcome(() => loadModels(host)) : 'not asked';
    const service = ending.aborted ? 'ending' : 'ok';
    return { isReady: [store, models, service].every((each) => each === 'ok'), checks: { store, models, service } };
  }

  return {
    now() {
      const now = performance.now();
      if (known === undefined || known.until < now || ending.aborted) known = { until: now + keptMs, answer: ask() };
      return known.answer;
    },
  };
}

/** What a search needs, among it the embedder of the index. Its one word is embedded once and remembered. */
async function loadModels(host: KnowledgeBaseHost | undefined): Promise<void> {
  const [first] = (await host?.list(defaultTenant)) ?? [];
  if (host === undefined || first === undefined) return;
  await (await host.get(defaultTenant, first.id)).reader.search('ready', { limit: 1 });
}

async function outcome(check: () => Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('too slow'), patienceMs);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return isAquiferError(error) ? error.code : 'internal';
  } finally {
    clearTimeout(timer);
  }
}
