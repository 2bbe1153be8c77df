#!/usr/bin/env bash
# The tests of the page in a real browser, Debian's Chromium, which is installed where it is missing and this is root.
# Usage: bash scripts/test-browser.sh   (after a build)
set -eu
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh
with_chromium || skip "there is no chromium, and only root can install it, with apt-get"
node scripts/test.mjs apps/web/dist/page.integration page-files
