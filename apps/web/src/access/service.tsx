import { type Client, createClient, type KnowledgeBaseIdentity, ServiceError } from '@aquifer/client';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';

const keyStorage = 'aquifer-key';
const chosenStorage = 'aquifer-knowledge-base';
const defaultName = 'default';

interface Service {
  readonly client: Client;
  /** Id of the knowledge base that is looked at, or the name of the one to make. */
  readonly knowledgeBase: string;
  readonly knowledgeBases: readonly KnowledgeBaseIdentity[];
  /** Undefined until the service has said which there are. */
  readonly error: unknown;
  readonly isReady: boolean;
  /** Whether the service has asked for a key, and has refused the one that there is. */
  readonly needsKey: boolean;
  readonly hasKey: boolean;
  useKey(key: string | undefined): void;
  choose(id: string): void;
  /** Grows when another knowledge base is chosen: what is shown begins anew. It does not when the first one is made. */
  readonly choices: number;
  reload(): Promise<void>;
  /** The knowledge base that documents go into, made where there is none. */
  ensureKnowledgeBase(): Promise<string>;
}

const ServiceContext = createContext<Service | undefined>(undefined);

export function ServiceProvider({ children }: { readonly children: ReactNode }) {
  const [key, setKey] = useState(() => sessionStorage.getItem(keyStorage) ?? undefined);
  const [needsKey, setNeedsKey] = useState(false);
  const [knowledgeBases, setKnowledgeBases] = useState<readonly KnowledgeBaseIdentity[]>([]);
  const [chosen, setChosen] = useState(() => localStorage.getItem(chosenStorage));
  const [choices, setChoices] = useState(0);
  const [error, setError] = useState<unknown>();
  const [isReady, setReady] = useState(false);

  const client = useMemo(
    () =>
      createClient({
        ...(key !== undefined && { key }),
        async fetch(input, init) {
          const response = await fetch(input, init);
          if (response.status === 401) setNeedsKey(true);
          return response;
        },
      }),
    [key],
  );

  const reload = useCallback(async () => {
    try {
      setKnowledgeBases(await client.listKnowledgeBases());
      setNeedsKey(false);
      setError(undefined);
      setReady(true);
    } catch (thrown) {
      if (!(thrown instanceof ServiceError && thrown.status === 401)) setError(thrown);
    }
  }, [client]);
  useEffect(() => void reload(), [reload]);

  const current =
    knowledgeBases.find(({ id }) => id === chosen) ??
    knowledgeBases.find(({ name }) => name === defaultName) ??
    knowledgeBases[0];
  const service: Service = {
    client,
    knowledgeBase: current?.id ?? defaultName,
    knowledgeBases,
    error,
    isReady,
    needsKey,
    hasKey: key !== undefined,
    useKey(given) {
      if (given === undefined) sessionStorage.removeItem(keyStorage);
      else sessionStorage.setItem(keyStorage, given);
      setReady(false);
      setKey(given);
    },
    choose(id) {
      localStorage.setItem(chosenStorage, id);
      setChosen(id);
      setChoices((before) => before + 1);
    },
    choices,
    reload,
    async ensureKnowledgeBase() {
      if (current !== undefined) return current.id;
      const made = await client.createKnowledgeBase({ name: defaultName });
      await reload();
      return made.id;
    },
  };
  return <ServiceContext value={service}>{children}</ServiceContext>;
}

export function useService(): Service {
  const service = useContext(ServiceContext);
  if (service === undefined) throw new Error('There is no ServiceProvider around this.');
  return service;
}
