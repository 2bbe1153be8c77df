#!/usr/bin/env bash
# The unmodified Python SDK against `aquifer serve`: bash scripts/test-boto3.sh
# boto3 comes from PyPI. The last line is the total: N passed, N failed, N skipped
set -u
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
python_with_sdk

node apps/cli/bin/aquifer.js keys create --scopes model,read,write,admin --key-file "$folder/keys.json" --json > "$folder/key" || {
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
key=$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$folder/key")
secret=$(sed -n 's/.*"secret":"\([^"]*\)".*/\1/p' "$folder/key")

mkdir "$folder/documents"
printf '# Leave\n\nParental leave in Japan is 52 weeks. It is announced one month before it begins.\n' > "$folder/documents/leave.md"
node apps/cli/bin/aquifer.js index "$folder/documents" --kb "$folder/kb" --json > "$folder/indexed" || {
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
knowledge_base=$(sed -n 's/.*"knowledgeBase":{"id":"\([^"]*\)".*/\1/p' "$folder/indexed")

passed=0 failed=0
# Without keys, then with them: boto3's own signatures.
for mode in open keys; do
  arguments=()
  [ "$mode" = keys ] && arguments=(--key-file "$folder/keys.json")
  : > "$folder/address"
  node apps/cli/bin/aquifer.js serve --kb "$folder/kb" --port 0 --json "${arguments[@]}" > "$folder/address" &
  server=$!
  for _ in $(seq 100); do
    [ -s "$folder/address" ] && break
    sleep 0.1
  done
  url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$folder/address")
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$url AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME=$url AWS_ENDPOINT_URL_BEDROCK_AGENT=$url AWS_REGION=us-east-1 \
    AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret" \
    AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null NO_PROXY=127.0.0.1 \
    AQUIFER_TEST_KNOWLEDGE_BASE=$knowledge_base AQUIFER_TEST_MODE=$mode "$tools/sdk/bin/python" scripts/boto3-checks.py 2>&1 | tee "$folder/out"
  read -r p f <<< "$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$folder/out" | tail -n 1)"
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
  kill "$server" 2> /dev/null
  wait "$server" 2> /dev/null
  server=
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
