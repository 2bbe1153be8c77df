import { useEffect, useRef, useState } from 'react';
import { useMessages } from '../language/language.js';
import { scrollToMiddle } from './scroll-to-middle.js';

/** Characters before and after the passage that are shown at first: a document may have millions. */
const around = 20_000;

interface TextViewProps {
  readonly text: string;
  readonly mark?: { readonly start: number; readonly end: number } | undefined;
}

/** The extracted text with the passage marked. */
export function TextView({ text, mark }: TextViewProps) {
  const messages = useMessages();
  const [shown, setShown] = useState(around);
  const marked = useRef<HTMLElement>(null);
  const frame = useRef<HTMLElement>(null);
  useEffect(() => {
    if (frame.current && marked.current) scrollToMiddle(frame.current, marked.current);
  }, []);
  const { start, end } = mark ?? { start: 0, end: 0 };
  const from = Math.max(0, start - shown);
  const to = Math.min(text.length, end + shown);
  const more = (
    <button type="button" onClick={() => setShown(shown * 4)}>
      {messages.more}
    </button>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard
    <section className="text-frame" ref={frame} tabIndex={0} aria-label={messages.sourceText}>
      {from > 0 && more}
      <div className="document-text">
        {text.slice(from, start)}
        {mark && <mark ref={marked}>{text.slice(start, end)}</mark>}
        {text.slice(end, to)}
        {text === '' && messages.noText}
      </div>
      {to < text.length && more}
    </section>
  );
}
