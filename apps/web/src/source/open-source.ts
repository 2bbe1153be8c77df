import { createContext, type Dispatch, type SetStateAction, useContext } from 'react';

/** A document to be shown beside the page, and the passage in it to be marked. */
export interface OpenedSource {
  /** Grows by one with each that is opened. */
  readonly order: number;
  readonly documentId: string;
  readonly title: string;
  /** UTF-16 offsets in the document's text. */
  readonly mark?: { readonly start: number; readonly end: number };
  readonly page?: number;
  /** Gets the focus back. */
  readonly opener?: HTMLElement | undefined;
}

export const OpenSourceContext = createContext<Dispatch<SetStateAction<OpenedSource | undefined>>>(() => {});

let order = 0;

/** Opens a source in the panel. Called in the handler of a click, so that the focus can go back to what was clicked. */
export function useOpenSource(): (source: Omit<OpenedSource, 'order' | 'opener'>) => void {
  const open = useContext(OpenSourceContext);
  return (source) => {
    const active = document.activeElement;
    order += 1;
    open({ ...source, order, ...(active instanceof HTMLElement && { opener: active }) });
  };
}

/** Closes the panel where it shows this document, which is gone. */
export function useCloseSource(): (documentId: string) => void {
  const open = useContext(OpenSourceContext);
  return (documentId) => open((shown) => (shown?.documentId === documentId ? undefined : shown));
}
