#!/usr/bin/env bash
# The tests of packages/postgres-store on a real PostgreSQL 15 with pgvector (scripts/make-postgres.sh), instead of PGlite: a cluster of its own
# in a temporary folder, which listens on a free port of 127.0.0.1.
# Usage: bash scripts/test-postgres.sh [command …]   (default: the tests)
# The command finds the server in AQUIFER_TEST_POSTGRES, and in AQUIFER_TEST_POSTGRES_PROGRAMS the folder of initdb and pg_ctl, for tests that
# restart, fill or break a server of their own.
set -eu
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
made=$tools/postgres
programs=$made/usr/lib/postgresql/15/bin
# PostgreSQL refuses to be run by root.
as_server() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}
stop() {
  [ ! -e "$folder/data/postmaster.pid" ] || as_server "$programs/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
  clean_up
}
trap stop EXIT
with_postgres || skip "$(tail -n 1 "$made.log")"
tail -n 1 "$made.log"

port=$(free_port)
mkdir "$folder/data" "$folder/run"
[ "$(id -u)" -ne 0 ] || chown nobody "$folder/data" "$folder/run"
as_server "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" || {
  cat "$folder/initdb.log"
  exit 1
}
as_server "$programs/pg_ctl" -D "$folder/data" -w -l "$folder/run/server.log" \
  -o "-p $port -k $folder/run -c listen_addresses=127.0.0.1 -c fsync=off" start >/dev/null || {
  cat "$folder/run/server.log"
  exit 1
}
# The application's role owns its database and does not bypass row-level security; extensions are the superuser's.
echo 'only for these tests' >"$folder/password"
PATH=$programs:$PATH PGHOST=$folder/run PGPORT=$port AQUIFER_DATABASE_PASSWORD_FILE=$folder/password bash deploy/create-database.sh

export AQUIFER_TEST_POSTGRES="postgres://aquifer@127.0.0.1:$port/aquifer" AQUIFER_TEST_POSTGRES_PROGRAMS="$programs"
if [ $# -gt 0 ]; then "$@"; else node scripts/test.mjs packages/postgres-store postgres shared-index ingestion-worker moving database-host; fi
