import type { Page, PageCall } from '@aquifer/bedrock-wire';

/** A page in order of name, which is the same again when it is asked for the next one: databases may have an order of their own. */
export function pageOfNamed<Item extends { readonly name: string }>(
  items: readonly Item[],
  { limit, after }: PageCall,
): Page<Item> {
  const rest = items
    .filter(({ name }) => after === undefined || name > after)
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { items: page, ...(rest.length > limit && last && { after: last.name }) };
}
