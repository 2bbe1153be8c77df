#!/usr/bin/env bash
# Installs what the test scripts beside it need into the folder that AQUIFER_TEST_TOOLS names, ahead of them: each would wait for its own.
# What cannot be installed is told by the script that needs it, which tries again and skips its tests.
set -u
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
(python_with_sdk) &
(with_chromium; with_postgres; with_compose) &
(python_with_schemathesis) &
wait
