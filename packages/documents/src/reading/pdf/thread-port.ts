type Listener = (event: { readonly data: unknown }) => void;

/** The part of a `Worker` that PDF.js uses. */
export interface PdfPort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[] | null): void;
  addEventListener(name: 'message', listener: Listener, options?: { readonly signal?: AbortSignal } | null): void;
  removeEventListener(name: 'message', listener: Listener): void;
}

/** A part of what `getTextContent` or `getOperatorList` answers. */
interface Chunk {
  readonly items?: unknown;
  readonly fnArray?: readonly unknown[];
  readonly argsArray?: readonly unknown[];
}

/**
 * Joins the two halves of PDF.js in this thread. Its own port for that clones all that goes through, which takes some 6 % of the time
 * of reading; this one only copies the lists of text and of drawing operations that the sending half uses again. What is in them belongs
 * to the fonts of the sending half, so it must not be changed; drawing pages would.
 */
export function createReadOnlyPort(): PdfPort {
  const listeners = new Set<Listener>();
  const delivered = Promise.resolve();
  return {
    postMessage(message, transfer) {
      const data = withoutCloning(message) ?? structuredClone(message, transfer ? { transfer: [...transfer] } : {});
      void delivered.then(() => {
        for (const listener of listeners) listener({ data });
      });
    },
    addEventListener(_name, listener, options) {
      listeners.add(listener);
      options?.signal?.addEventListener('abort', () => listeners.delete(listener), { once: true });
    },
    removeEventListener(_name, listener) {
      listeners.delete(listener);
    },
  };
}

function withoutCloning(message: unknown): unknown {
  const { chunk } = message as { readonly chunk?: Chunk };
  if (chunk?.items) return { ...(message as object), chunk: { ...chunk } };
  if (!chunk?.fnArray || !chunk.argsArray) return undefined;
  const lists = { fnArray: chunk.fnArray.slice(), argsArray: chunk.argsArray.slice() };
  return { ...(message as object), chunk: { ...chunk, ...lists } };
}
