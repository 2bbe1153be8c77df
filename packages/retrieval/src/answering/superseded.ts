import type { DocumentRecord } from '@aquifer/contracts';

/** Values of a `status` attribute by which a document says that it holds no longer. */
const supersededStatus =
  /^(?:superseded|obsolete|outdated|archived|deprecated|withdrawn|retired|expired|replaced|repealed|旧版|廃止|失効|改廃|已废止|失效)$/iu;
/** What people ask with when they do mean the past. */
const asksOfPast =
  /\b(?:old|older|previous(?:ly)?|former(?:ly)?|before|past|histor\w+|earlier|used to|chang\w*|differ\w*|compar\w*|supersed\w*|obsolete|archiv\w*)\b|以前|旧|過去|従来|昔|改定|改正|変更|変わ|履歴|比較|違い|廃止/iu;

/**
 * Whether an answer should leave a document out: its metadata says that it is superseded, and the question neither asks of the
 * past nor names the document's year. (Everything is still found by a search.)
 */
export function isSupersededFor(question: string, document: DocumentRecord): boolean {
  const { status, ...metadata } = document.metadata;
  if (typeof status !== 'string' || !supersededStatus.test(status.trim())) return false;
  if (asksOfPast.test(question)) return false;
  const years = question.normalize('NFKC').match(/(?<!\d)(?:19|20)\d\d(?!\d)/g) ?? [];
  const described = [document.title, document.source, ...Object.values(metadata).map(String)].join(' ');
  return !years.some((year) => described.includes(year));
}
