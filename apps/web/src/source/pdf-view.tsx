import {
  GlobalWorkerOptions,
  getDocument,
  type PDFDocumentProxy,
  RenderingCancelledException,
  TextLayer,
  version,
} from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url';
import { useEffect, useRef, useState } from 'react';
import { useMessages } from '../language/language.js';
import { findPassage } from './find-passage.js';
import { scrollToMiddle } from './scroll-to-middle.js';

GlobalWorkerOptions.workerSrc = workerUrl;

const data = `/assets/pdfjs-${version}`;
const zooms = [0.75, 1, 1.5, 2, 3] as const;

interface PdfViewProps {
  readonly bytes: Uint8Array;
  readonly firstPage: number;
  /** The part of the passage that is on a page. */
  passageOn(page: number): string;
  onPassage(isFound: boolean): void;
}

/** One page at a time of a PDF, drawn on a canvas under its text, in which the passage is marked. Everything comes from this service. */
export function PdfView({ bytes, firstPage, passageOn, onPassage }: PdfViewProps) {
  const messages = useMessages();
  const [pdf, setPdf] = useState<PDFDocumentProxy>();
  const [page, setPage] = useState(firstPage);
  const [zoom, setZoom] = useState(1);
  const [error, setError] = useState<string>();
  const frame = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const task = getDocument({
      // PDF.js takes the buffer for its thread; the caller keeps its own.
      data: bytes.slice(),
      cMapUrl: `${data}/cmaps/`,
      standardFontDataUrl: `${data}/standard_fonts/`,
      iccUrl: `${data}/iccs/`,
      wasmUrl: `${data}/wasm/`,
      // The page's policy allows no WebAssembly.
      useWasm: false,
      isEvalSupported: false,
      enableXfa: false,
    });
    task.promise.then(setPdf, (thrown: Error) => setError(thrown.message));
    return () => void task.destroy();
  }, [bytes]);

  // The passage belongs to the document: it does not change by itself.
  useEffect(() => {
    if (!pdf || !frame.current || !sheet.current) return;
    let isCurrent = true;
    const drawing = drawPage({
      pdf,
      page,
      width: frame.current.clientWidth * zooms[zoom]!,
      frame: frame.current,
      sheet: sheet.current,
      passage: passageOn(page),
      isCurrent: () => isCurrent,
    });
    drawing.then(
      (isFound) => isCurrent && isFound !== undefined && onPassage(isFound),
      (thrown: Error) => {
        if (isCurrent && !(thrown instanceof RenderingCancelledException)) setError(thrown.message);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [pdf, page, zoom]);

  const count = pdf?.numPages ?? 0;
  return (
    <div className="pdf">
      <div className="pdf-tools" role="toolbar" aria-label="PDF">
        <button type="button" disabled={page <= 1} onClick={() => setPage(page - 1)} aria-label={messages.previousPage}>
          ←
        </button>
        <span aria-live="polite">{count > 0 && messages.pageOf(page, count)}</span>
        <button type="button" disabled={page >= count} onClick={() => setPage(page + 1)} aria-label={messages.nextPage}>
          →
        </button>
        <button type="button" disabled={zoom === 0} onClick={() => setZoom(zoom - 1)} aria-label={messages.zoomOut}>
          −
        </button>
        <button
          type="button"
          disabled={zoom === zooms.length - 1}
          onClick={() => setZoom(zoom + 1)}
          aria-label={messages.zoomIn}
        >
          +
        </button>
        {page !== firstPage && (
          <button type="button" onClick={() => setPage(firstPage)}>
            {messages.goToPassage}
          </button>
        )}
      </div>
      {error !== undefined && <p role="alert">{error}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard */}
      <section className="pdf-frame" ref={frame} tabIndex={0} aria-label={messages.pageOf(page, count)}>
        <div className="pdf-sheet" ref={sheet} />
      </section>
    </div>
  );
}

/** Resolves with whether the passage is marked, or undefined where there is none on this page. */
async function drawPage(options: {
  readonly pdf: PDFDocumentProxy;
  readonly page: number;
  /** In CSS pixels. */
  readonly width: number;
  readonly frame: HTMLElement;
  readonly sheet: HTMLElement;
  readonly passage: string;
  isCurrent(): boolean;
}): Promise<boolean | undefined> {
  const { pdf, page: number, width, frame, sheet, passage, isCurrent } = options;
  const page = await pdf.getPage(number);
  if (!isCurrent()) return undefined;
  const scale = width / page.getViewport({ scale: 1 }).width;
  const viewport = page.getViewport({ scale });
  const ratio = Math.min(devicePixelRatio, 2);
  const canvas = document.createElement('canvas');
  canvas.width = Math.floor(viewport.width * ratio);
  canvas.height = Math.floor(viewport.height * ratio);
  canvas.setAttribute('aria-hidden', 'true');
  const text = document.createElement('div');
  text.className = 'pdf-text';
  await page.render({ canvas, viewport, transform: [ratio, 0, 0, ratio, 0, 0] }).promise;
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport });
  await layer.render();
  if (!isCurrent()) return undefined;
  sheet.style.width = `${viewport.width}px`;
  sheet.style.height = `${viewport.height}px`;
  sheet.style.setProperty('--total-scale-factor', String(scale));
  sheet.replaceChildren(canvas, text);
  if (passage === '') return undefined;
  const parts = findPassage(layer.textContentItemsStr, passage);
  const marks = parts.map(({ item, start, end }) => mark(layer.textDivs[item]!, start, end));
  if (marks[0]) scrollToMiddle(frame, marks[0]);
  return marks.length > 0;
}

/** Puts a part of an element's text into a `mark`; parts of one element come from its beginning to its end. */
function mark(element: HTMLElement, start: number, end: number): HTMLElement {
  const before = [...element.childNodes].slice(0, -1).reduce((sum, node) => sum + (node.textContent?.length ?? 0), 0);
  const rest = element.lastChild as Text;
  const marked = rest.splitText(start - before);
  const after = marked.splitText(end - start);
  const wrapped = document.createElement('mark');
  wrapped.append(marked);
  element.insertBefore(wrapped, after);
  return wrapped;
}
