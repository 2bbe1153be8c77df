import { useMessages } from '../language/language.js';

interface PlaceProps {
  readonly source: string;
  readonly headings: readonly string[];
  readonly pageStart?: number | undefined;
  readonly pageEnd?: number | undefined;
}

/** Where a passage is, in one line: file, pages, headings. */
export function Place({ source, headings, pageStart, pageEnd }: PlaceProps) {
  const messages = useMessages();
  return (
    <p className="place">
      <span className="path">{source}</span>
      {pageStart !== undefined && <span>{messages.page(pageStart, pageEnd)}</span>}
      {headings.length > 0 && <span>{headings.join(' › ')}</span>}
    </p>
  );
}
