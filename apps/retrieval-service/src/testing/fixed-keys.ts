import type { AccessKey } from '@aquifer/bedrock-wire';
import { keyScopes, type UsableKey } from '../access/key-ring.js';

/** Keys whose secrets a test knows beforehand; without more they may do everything. */
export function fixedKeys(
  keys: readonly (AccessKey &
    Partial<Pick<UsableKey, 'tenant' | 'scopes' | 'tokensPerMinute' | 'requestsPerMinute'>>)[],
) {
  const usable = keys.map(
    (key): UsableKey => ({ tenant: 'default', scopes: keyScopes, createdAt: 0, hash: '', ...key, id: key.accessKeyId }),
  );
  return { usable: () => usable };
}
