#!/usr/bin/env bash
# The tests of store, ingestion and knowledge base, and the quickstart, as on a machine where nothing compiles: in a copy with
# no addon built, on the Node versions that bring SQLite themselves. Ends with `N passed, N failed, N skipped`.
#   bash scripts/test-without-addons.sh [version …]
set -u
cd "$(dirname "$0")/.." || exit
root=$PWD
# The npm package "node" carries the runtime; its install script only links it.
versions=("$@")
[ ${#versions[@]} -eq 0 ] && versions=(22.23.3 24.21.0)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
fail() {
  echo "✖ $*"
  failed=$((failed + 1))
}

# What a fresh clone would hold, and what is being worked on.
mkdir "$work/copy"
tar --exclude=node_modules --exclude=dist --exclude=.turbo --exclude=.git --exclude='*.tsbuildinfo' -cf - . | tar -xf - -C "$work/copy"
cd "$work/copy" || exit
# Tests that read ../shared find it where it is.
export AQUIFER_SHARED=${AQUIFER_SHARED:-$root/../shared}
npm ci --ignore-scripts >"$work/log" 2>&1 || { cat "$work/log"; fail "npm ci --ignore-scripts"; }
built=$(find node_modules/better-sqlite3-multiple-ciphers node_modules/hnswlib-node -name '*.node')
[ -z "$built" ] || fail "addons are built: $built"

# What works on a folder; indexes in a database need no addon.
knowledge_base=()
for name in attachments damaged-index disk-full dry-run-index encrypted-index folder- ingestion open-knowledge-base reading-options retrieval tune-for-indexing watch-index; do
  knowledge_base+=("packages/aquifer/dist/$name")
done

for version in "${versions[@]}"; do
  echo "── Node $version, no addon built"
  npm install --ignore-scripts=false --prefix "$work/node-$version" "node@$version" >"$work/log" 2>&1
  bin=$work/node-$version/node_modules/node/bin
  if [ "$("$bin/node" --version)" != "v$version" ]; then
    cat "$work/log"
    fail "Node $version cannot be installed"
    continue
  fi
  if ! PATH="$bin:$PATH" npm run --silent quickstart >"$work/log" 2>&1; then
    cat "$work/log"
    fail "the quickstart on Node $version"
    continue
  fi
  # V8's own complaints change no exit status.
  if grep '^Error:' "$work/log"; then
    fail "the quickstart prints an error on Node $version"
  else
    passed=$((passed + 1))
  fi
  PATH="$bin:$PATH" node scripts/test.mjs packages/local-store packages/ingestion "${knowledge_base[@]}" 2>&1 | tee "$work/log"
  counts=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/log" | tail -n 1)
  if [ -z "$counts" ]; then
    fail "the tests on Node $version"
    continue
  fi
  read -r p f s <<<"$(tr -cs '0-9\n' ' ' <<<"$counts")"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
