// To S3 these are names like any others, but some servers that speak its API keep objects in folders.
const leadsElsewhere = /\/\.\.?(?:\/|$)/;

/** Whether an object is one of those that are named, or below one of the prefixes. */
export function isAllowedObject(uri: string, allowed: readonly string[]): boolean {
  if (leadsElsewhere.test(uri)) return false;
  return allowed.some((each) => uri === each || uri.startsWith(below(each)));
}

/** Whether all objects whose addresses begin so, such as `s3://bucket/` or `s3://bucket/public/2025`, are below one of the prefixes. */
export function isAllowedPrefix(start: string, allowed: readonly string[]): boolean {
  return !leadsElsewhere.test(start) && allowed.some((each) => start.startsWith(below(each)));
}

const below = (prefix: string): string => (prefix.endsWith('/') ? prefix : `${prefix}/`);
