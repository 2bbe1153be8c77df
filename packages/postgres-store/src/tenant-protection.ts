import { parsePostgresLocation } from './postgres-location.js';
import { type Ask, createTransactions } from './transactions.js';

/**
 * Why the database does not keep tenants apart for the role that is connected, although queries still name the tenant; undefined where it does.
 */
export async function describeMissingProtection(query: Ask, shown: string): Promise<string | undefined> {
  const [role] = await query(
    'SELECT rolname AS name, rolsuper AS super, rolbypassrls AS bypasses FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  if (role?.super || role?.bypasses) {
    return (
      `The role ${JSON.stringify(role.name)} at ${shown} ${role.super ? 'is a superuser' : 'has BYPASSRLS'}, so the database does not keep ` +
      'tenants apart for it. Connect as a role that was made with NOSUPERUSER NOBYPASSRLS.'
    );
  }
  const open = await query(
    `SELECT relname AS name FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant'
     WHERE relnamespace = to_regnamespace('aquifer') AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname`,
  );
  if (open.length === 0) return undefined;
  return (
    `Row-level security of ${open.map(({ name }) => `aquifer.${name}`).join(', ')} at ${shown} was turned off, so the database does not keep ` +
    'tenants apart. Turn it on for each: ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
  );
}

/**
 * The same of the role that an address names. For reports: a connection of its own.
 *
 * @throws `index-unavailable`, `credentials-refused`, `index-not-found`
 */
export async function examineTenantProtection(address: string): Promise<string | undefined> {
  const location = parsePostgresLocation(address);
  const transactions = createTransactions({ location });
  try {
    return await transactions.read((query) => describeMissingProtection(query, location.shown));
  } finally {
    await transactions.close();
  }
}
