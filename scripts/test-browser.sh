#!/usr/bin/env bash
# The tests of the page in a real browser, Debian's Chromium, which is installed where it is missing and this is root.
# Usage: bash scripts/test-browser.sh   (after a build)
set -eu
cd "$(dirname "$0")/.."
if ! command -v chromium >/dev/null; then
  skip() {
    echo "skipped: the tests of the page in Chromium: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  }
  command -v apt-get >/dev/null || skip "there is no chromium, and no apt-get"
  [ "$(id -u)" -eq 0 ] || skip "there is no chromium, and only root can install it"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 ||
    skip "apt-get cannot install chromium"
fi
node scripts/test.mjs apps/web/dist/page.integration page-files
