#!/usr/bin/env bash
# A PostgreSQL 15 with pgvector in a folder: bash scripts/make-postgres.sh FOLDER
# Changes nothing on this machine but, where there is no PostgreSQL, installs Debian's. The server is copied to the folder, and pgvector is
# compiled into the copy from the source that the next Debian release has. The last line says what is missing where it fails.
set -eu
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
fail() {
  echo "$1"
  exit 1
}

work=$1
version=15
next_release=trixie
installed=/usr/lib/postgresql/$version
command -v apt-get >/dev/null || fail "no apt-get here"
command -v gcc >/dev/null || fail "no C compiler here"
if [ ! -x "$installed/bin/postgres" ]; then
  [ "$(id -u)" -eq 0 ] || fail "PostgreSQL $version is not installed, and only root can install it"
  install_debian_package "postgresql-$version" >/dev/null || fail "apt-get cannot install postgresql-$version"
fi

# PostgreSQL finds its files relative to its program, so a copy is as good as an installation.
rm -rf "$work"
mkdir -p "$work/usr/lib/postgresql" "$work/usr/share/postgresql" "$work/download" "$work/lists/partial"
cp -r "$installed" "$work/usr/lib/postgresql/"
cp -r "/usr/share/postgresql/$version" "$work/usr/share/postgresql/"

# The addresses of this machine's own sources, whichever of apt's two formats they are in.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  grep -Eo 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ') || true
[ -n "$mirror" ] || fail "none of apt's sources is a Debian mirror"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $next_release main" >"$work/sources.list"
sources=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/lists"
  -o APT::Sandbox::User=root)
(
  cd "$work/download"
  apt-get "${sources[@]}" update && apt-get "${sources[@]}" source --download-only pgvector
  apt-get -qq download "postgresql-server-dev-$version"
) >"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log"; fail "apt-get cannot fetch pgvector's source and PostgreSQL's headers"; }

mkdir "$work/pgvector"
tar -xf "$work"/download/pgvector_*.orig.tar.* -C "$work/pgvector" --strip-components=1
dpkg-deb -x "$work"/download/postgresql-server-dev-*.deb "$work/headers"
cd "$work/pgvector"
gcc -O2 -ftree-vectorize -fassociative-math -fno-signed-zeros -fno-trapping-math -fno-math-errno -fPIC -shared -w \
  -I src -I "$work/headers/usr/include/postgresql/$version/server" src/*.c -lm -o "$work/usr/lib/postgresql/$version/lib/vector.so"
share=$work/usr/share/postgresql/$version/extension
vector=$(sed -n "s/^default_version = '\(.*\)'/\1/p" vector.control)
cp vector.control "$share/"
cp sql/vector--*.sql "$share/" 2>/dev/null || true
cp sql/vector.sql "$share/vector--$vector.sql"
echo "pgvector $vector from the source of $next_release"
