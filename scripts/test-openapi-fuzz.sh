#!/usr/bin/env bash
# Whatever a caller sends, the service must not fail: requests made of its own OpenAPI document, valid ones and others, and no answer of 5xx.
# Usage: bash scripts/test-openapi-fuzz.sh
# schemathesis comes from PyPI. The last line is the total: N passed, N failed, N skipped
set -u
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
python_with_schemathesis

aquifer="$PWD/apps/cli/bin/aquifer.js"
node "$aquifer" index examples/handbook --kb "$folder/index" --json > "$folder/log" || {
  tail -n 1 "$folder/log"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
node "$aquifer" serve --kb "$folder/index" --port 0 --json > "$folder/address" 2> "$folder/errors" &
server=$!
for _ in $(seq 100); do
  [ -s "$folder/address" ] && break
  sleep 0.1
done
url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$folder/address")

# Deleting the knowledge base would leave nothing to fuzz.
(cd "$folder" && NO_PROXY=127.0.0.1 timeout 150 "$tools/schemathesis/bin/schemathesis" run "$url/openapi.json" \
  --checks not_a_server_error --phases examples,coverage,fuzzing --max-examples 8 --workers 1 --no-shrink \
  --generation-deterministic --suppress-health-check all --request-timeout 20 \
  --exclude-operation-id deleteKnowledgeBase --exclude-operation-id followJob \
  --continue-on-failure --warnings off --no-color) > "$folder/out" 2>&1
status=$?
grep -vE '^\s*$' "$folder/out" | tail -n "$([ "$status" -eq 0 ] && echo 20 || echo 200)"
cat "$folder/errors"

passed=0 failed=0
count() { if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "failed: $1"; fi; }
count "no answer of 5xx" "$status"
# What the service could not explain is in its log.
[ ! -s "$folder/errors" ]
count "nothing unexplained" $?
curl --noproxy '*' -fs "$url/readyz" > /dev/null
count "ready afterwards" $?

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
