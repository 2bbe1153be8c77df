import type { Metadata } from '@aquifer/contracts';

/** What the document's own information dictionary (ISO 32000-1, 14.3.3) says that is worth keeping. */
export function propertiesOf(info: Readonly<Record<string, unknown>>): {
  title: string | undefined;
  metadata: Metadata;
} {
  const metadata: Record<string, string> = {};
  const keep = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') metadata[name] = value;
  };
  keep('author', textOf(info.Author));
  keep('subject', textOf(info.Subject));
  keep('keywords', textOf(info.Keywords)?.replace(/^[\s;,]+|[\s;,]+$/g, ''));
  keep('created', dateOf(info.CreationDate));
  keep('modified', dateOf(info.ModDate));
  return { title: titleOf(textOf(info.Title)), metadata };
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is being removed
    .replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .normalize('NFC')
    .trim();
  return text === '' ? undefined : text;
}

/** A title that a person gave, as opposed to one that a program put there. */
function titleOf(title: string | undefined): string | undefined {
  if (title === undefined || title.length < 3 || title.length > 300) return undefined;
  const isFromProgram =
    /^microsoft (?:word|powerpoint|excel)\b/i.test(title) ||
    /^(?:untitled|無題|title|document|slide|presentation|powerpoint presentation|print|layout|doc)\s*\d*$/i.test(
      title,
    ) ||
    /\.(?:exe|docx?|xlsx?|pptx?|pdf|indd|qxd|tex|dvi|ps|eps|ai|rtf|odt|html?|cdr|fm|p65|pmd)$/i.test(title) ||
    /^(?:https?:|file:|[a-z]:\\|\/)/i.test(title) ||
    !/\p{L}{2}|\p{Script=Han}/u.test(title);
  return isFromProgram ? undefined : title;
}

/** `D:20220729060321-04'00'` (ISO 32000-1, 7.9.4) as `2022-07-29T06:03:21-04:00`. */
function dateOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?/.exec(value.trim());
  if (!match) return undefined;
  const [, year, month = '01', day = '01', hours, minutes = '00', seconds = '00', utc, sign, zoneHours, zoneMinutes] =
    match;
  const date = `${year}-${month}-${day}`;
  const zone = utc ?? (sign ? `${sign}${zoneHours}:${zoneMinutes ?? '00'}` : '');
  const text = hours === undefined ? date : `${date}T${hours}:${minutes}:${seconds}${zone}`;
  return Number.isNaN(Date.parse(text)) ? undefined : text;
}
