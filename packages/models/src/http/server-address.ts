import { AquiferError } from '@aquifer/contracts';

/**
 * A server's address without a slash at its end.
 *
 * @param defaultPath Added where the address names no version of the API, that is, has no part such as `/v1`.
 * @throws `invalid-options`
 */
export function parseServerAddress(text: string, defaultPath = ''): string {
  let url: URL;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  } catch (error) {
    throw new AquiferError('invalid-options', `${JSON.stringify(text)} is not the address of a server.`, {
      cause: error,
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AquiferError('invalid-options', `${JSON.stringify(text)} must begin with http:// or https://.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new AquiferError(
      'invalid-options',
      `The address of ${url.host} holds a password. Give it as a key or header.`,
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path}${/\/v\d/.test(path) ? '' : defaultPath}`;
}
