import type { Page, PageCall } from '@aquifer/bedrock-wire';

/** A page of a listing in order of name, which is the same again when it is asked for the next one. */
export function pageOfNamed<Item extends { readonly name: string }>(
  items: readonly Item[],
  { limit, after }: PageCall,
): Page<Item> {
  const rest = after === undefined ? items : items.filter(({ name }) => name > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { items: page, ...(rest.length > limit && last && { after: last.name }) };
}
