#!/usr/bin/env bash
# The tests of packages/postgres-store on a real PostgreSQL 15 with pgvector, instead of PGlite. Changes nothing on this machine but,
# where there is no PostgreSQL, installs Debian's: the server is copied to a temporary folder, pgvector is compiled into the
# copy from the source that the next Debian release has, and a cluster of its own listens on a free port of 127.0.0.1.
# Usage: bash scripts/test-postgres.sh [command …]   (default: the tests)
# The command finds the server in AQUIFER_TEST_POSTGRES, and in AQUIFER_TEST_POSTGRES_PROGRAMS the folder of initdb and pg_ctl, for tests that
# restart, fill or break a server of their own.
set -eu
cd "$(dirname "$0")/.."
skip() {
  echo "skipped: the tests on a real PostgreSQL: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

version=15
next_release=trixie
installed=/usr/lib/postgresql/$version
command -v apt-get >/dev/null || skip "no apt-get here"
command -v gcc >/dev/null || skip "no C compiler here"
if [ ! -x "$installed/bin/postgres" ]; then
  [ "$(id -u)" -eq 0 ] || skip "PostgreSQL $version is not installed, and only root can install it"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "postgresql-$version"; } >/dev/null ||
    skip "apt-get cannot install postgresql-$version"
fi

work=$(mktemp -d)
chmod 755 "$work"
# PostgreSQL refuses to be run by root.
as_server() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi
}
server=$work/usr/lib/postgresql/$version
stop() {
  [ -e "$work/data/postmaster.pid" ] && as_server "$server/bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null
  rm -rf "$work"
}
trap stop EXIT

# PostgreSQL finds its files relative to its program, so a copy is as good as an installation.
mkdir -p "$work/usr/lib/postgresql" "$work/usr/share/postgresql" "$work/download" "$work/lists/partial"
cp -r "$installed" "$work/usr/lib/postgresql/"
cp -r "/usr/share/postgresql/$version" "$work/usr/share/postgresql/"

# The addresses of this machine's own sources, whichever of apt's two formats they are in.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  grep -Eo 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
[ -n "$mirror" ] || skip "none of apt's sources is a Debian mirror"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $next_release main" >"$work/sources.list"
sources=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/lists"
  -o APT::Sandbox::User=root)
(
  cd "$work/download"
  apt-get "${sources[@]}" update && apt-get "${sources[@]}" source --download-only pgvector
  apt-get -qq download "postgresql-server-dev-$version"
) >"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log"; skip "apt-get cannot fetch pgvector's source and PostgreSQL's headers"; }

mkdir "$work/pgvector"
tar -xf "$work"/download/pgvector_*.orig.tar.* -C "$work/pgvector" --strip-components=1
dpkg-deb -x "$work"/download/postgresql-server-dev-*.deb "$work/headers"
echo "pgvector $(sed -n "s/^default_version = '\(.*\)'/\1/p" "$work/pgvector/vector.control") from the source of $next_release"
(
  cd "$work/pgvector"
  gcc -O2 -ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math -fno-math-errno -fPIC -shared -w \
    -I src -I "$work/headers/usr/include/postgresql/$version/server" src/*.c -lm -o "$server/lib/vector.so"
  share=$work/usr/share/postgresql/$version/extension
  cp vector.control "$share/"
  cp sql/vector--*.sql "$share/" 2>/dev/null || true
  cp sql/vector.sql "$share/vector--$(sed -n "s/^default_version = '\(.*\)'/\1/p" vector.control).sql"
)

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
mkdir "$work/data" "$work/run"
[ "$(id -u)" -ne 0 ] || chown nobody "$work/data" "$work/run"
as_server "$server/bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" || {
  cat "$work/initdb.log"
  exit 1
}
as_server "$server/bin/pg_ctl" -D "$work/data" -w -l "$work/run/server.log" \
  -o "-p $port -k $work/run -c listen_addresses=127.0.0.1 -c fsync=off" start >/dev/null || {
  cat "$work/run/server.log"
  exit 1
}
# The application's role owns its database and does not bypass row-level security; extensions are the superuser's.
echo 'only for these tests' >"$work/password"
PATH=$server/bin:$PATH PGHOST=$work/run PGPORT=$port AQUIFER_DATABASE_PASSWORD_FILE=$work/password bash deploy/create-database.sh

export AQUIFER_TEST_POSTGRES="postgres://aquifer@127.0.0.1:$port/aquifer" AQUIFER_TEST_POSTGRES_PROGRAMS="$server/bin"
if [ $# -gt 0 ]; then "$@"; else node scripts/test.mjs packages/postgres-store postgres shared-index ingestion-worker moving database-host; fi
