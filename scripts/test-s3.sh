#!/usr/bin/env bash
# The tests of S3 sources against a server that speaks S3's API: bash scripts/test-s3.sh [command …]
# The server is moto's, from PyPI in a temporary folder; the command (default: the tests) finds it in AQUIFER_TEST_S3.
set -u
cd "$(dirname "$0")/.."
skip() {
  echo "s3: skipped, $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

command -v python3 > /dev/null || skip "there is no python3 here"
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null; wait "$server" 2> /dev/null; fi; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" > "$folder/log" 2>&1 || skip "python3 has no venv: $(tail -n 1 "$folder/log")"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[server,s3]' > "$folder/log" 2>&1 ||
  skip "moto cannot be installed: $(tail -n 1 "$folder/log")"

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
"$folder/venv/bin/moto_server" -H 127.0.0.1 -p "$port" > "$folder/server.log" 2>&1 &
server=$!
export AQUIFER_TEST_S3="http://127.0.0.1:$port"
node -e '
  const until = Date.now() + 30_000;
  const ask = () => fetch(process.env.AQUIFER_TEST_S3).then(() => process.exit(0), () => {
    if (Date.now() > until) process.exit(1);
    setTimeout(ask, 100);
  });
  ask();' || { cat "$folder/server.log"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

# No credentials but the tests' own, and no service of an instance that may be asked for some.
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null NO_PROXY=127.0.0.1
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
if [ $# -gt 0 ]; then "$@"; else node scripts/test.mjs s3; fi
