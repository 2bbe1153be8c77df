#!/usr/bin/env bash
# The tests of S3 sources against a server that speaks S3's API: bash scripts/test-s3.sh [command …]
# The server is moto's, from PyPI; the command (default: the tests) finds it in AQUIFER_TEST_S3.
set -u
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
python_with_sdk

port=$(free_port)
"$tools/sdk/bin/python" scripts/s3-server.py "$port" > "$folder/server.log" 2>&1 &
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
