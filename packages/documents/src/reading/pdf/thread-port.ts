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
 * Joins the two halves of PDF.js in this thread. Its own port for that clones all that goes through, which takes some 15 % of the time
 * of reading, half of it over messages that hold a few numbers; this one lets those through as they are, and only copies the lists of text and of drawing operations that the sending half uses again. What is in them belongs
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
  if (isPlain(message, 2)) return message;
  const { chunk } = message as { readonly chunk?: Chunk };
  if (chunk?.items) return { ...(message as object), chunk: { ...chunk } };
  if (!chunk?.fnArray || !chunk.argsArray) return undefined;
  const lists = { fnArray: chunk.fnArray.slice(), argsArray: chunk.argsArray.slice() };
  return { ...(message as object), chunk: { ...chunk, ...lists } };
}

/** Whether it is made of numbers and text in objects of no more levels than these. Each message is an object of its own. */
function isPlain(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  if (levels === 0 || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((each) => isPlain(each, levels - 1));
}
