import type { KeyRecord, KeyRing, KeyScope } from '@aquifer/retrieval-service';
import { AquiferError } from 'aquifer';
import { type CommandOptions, type Context, printJson, settingsOf } from '../context.js';
import { table } from '../terminal/table.js';
import { plainLine } from '../terminal/terminal.js';

/** Where keys are unless the setting `keyFile` names another place. */
export const defaultKeyFile = '.aquifer-keys.json';

export interface NewKeyOptions extends CommandOptions {
  readonly tenant?: string;
  readonly scopes?: string;
  readonly expires?: string;
  readonly description?: string;
  readonly limitRequests?: string;
  readonly limitTokens?: string;
}

async function ringOf(context: Context, options: CommandOptions): Promise<{ ring: KeyRing; path: string }> {
  const { values } = await settingsOf(context, options);
  const { openKeyRing } = await import('@aquifer/retrieval-service');
  const path = values.keyFile ?? defaultKeyFile;
  return { ring: openKeyRing(path), path };
}

export async function create(context: Context, options: NewKeyOptions): Promise<void> {
  const { ring, path } = await ringOf(context, options);
  const now = Date.now();
  const { record, secret } = ring.create(
    {
      tenant: tenantOf(options.tenant ?? 'default'),
      scopes: await scopesOf(options.scopes ?? 'read,write,model'),
      ...(options.description !== undefined && { description: options.description }),
      ...(options.expires !== undefined && { expiresAt: now + periodOf(options.expires) }),
      ...(options.limitRequests !== undefined && {
        requestsPerMinute: countOf('--limit-requests', options.limitRequests),
      }),
      ...(options.limitTokens !== undefined && { tokensPerMinute: countOf('--limit-tokens', options.limitTokens) }),
    },
    now,
  );
  if (options.json) {
    printJson(context, { ...shown(record, now), secret });
    return;
  }
  const { out } = context;
  out.line(`  ${out.style('bold', record.id)} for tenant ${record.tenant}: ${record.scopes.join(', ')}`);
  out.line();
  out.line(`  export AWS_ACCESS_KEY_ID=${record.id} AWS_SECRET_ACCESS_KEY=${secret}`);
  out.line(`  curl -H "Authorization: Bearer ${secret}" http://127.0.0.1:8420/v1/knowledge-bases`);
  out.line();
  out.line(
    out.style('yellow', '  The secret is shown this once.') +
      out.style('dim', ` ${path} and ${path}.root make the key: keep both, apart from each other in backups.`),
  );
}

export async function list(context: Context, options: CommandOptions): Promise<void> {
  const { ring, path } = await ringOf(context, options);
  const now = Date.now();
  const keys = ring.list().map((record) => shown(record, now));
  if (options.json) {
    printJson(context, { keys });
    return;
  }
  const { out } = context;
  if (keys.length === 0) {
    out.line(`  no keys in ${path} yet: npx aquifer keys create`);
    return;
  }
  const columns = [
    { title: 'key' },
    { title: 'tenant' },
    { title: 'scopes' },
    { title: 'state' },
    { title: 'description', shrinks: true },
  ];
  const rows = keys.map(({ id, tenant, scopes, state, description = '' }) => {
    return [id, tenant, scopes.join(' '), state, plainLine(description)];
  });
  for (const line of table(out, columns, rows)) out.line(line);
}

export async function revoke(context: Context, id: string, options: CommandOptions): Promise<void> {
  const { ring } = await ringOf(context, options);
  const now = Date.now();
  const record = ring.revoke(id, now);
  if (options.json) printJson(context, shown(record, now));
  else context.out.line(`  ${record.id} is revoked, from the next request on`);
}

/** A key as it may be printed. */
function shown({ hash: _, ...record }: KeyRecord, now: number) {
  const { revokedAt, expiresAt } = record;
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const expiry = expiresAt === undefined ? 'active' : `${expiresAt > now ? 'until' : 'expired'} ${day(expiresAt)}`;
  return { ...record, state: revokedAt === undefined ? expiry : `revoked ${day(revokedAt)}` };
}

async function scopesOf(text: string): Promise<KeyScope[]> {
  const { keyScopes } = await import('@aquifer/retrieval-service');
  const scopes = text.split(',').map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !keyScopes.some((known) => known === scope));
  if (unknown !== undefined) {
    throw new AquiferError('invalid-options', `There is no scope ${JSON.stringify(unknown)}: ${keyScopes.join(', ')}.`);
  }
  return [...new Set(scopes)] as KeyScope[];
}

function tenantOf(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name)) return name;
  throw new AquiferError('invalid-options', 'A tenant is 1 to 100 letters, digits, dots, - and _.');
}

function periodOf(text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([hdwy])$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) {
    throw new AquiferError('invalid-options', `--expires ${text} is no period: 12h, 90d, 4w, 1y.`);
  }
  return Number(number) * { h: 1, d: 24, w: 168, y: 8_766 }[unit as 'h' | 'd' | 'w' | 'y'] * 3_600_000;
}

function countOf(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  throw new AquiferError('invalid-options', `${flag} takes a number from 1 on, not ${text}.`);
}
