# shellcheck shell=bash
# What the tests need beside npm's packages, and how it is installed: sourced by the scripts beside it.
# AQUIFER_TEST_TOOLS names the folder where it stays, for all of them (.ci/run); without it each has one of its own.

script=$(basename "$0" .sh)
script=${script#test-}
skip() {
  echo "$script: skipped, $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

# What a script keeps while it runs, and the server that it started, which end with it. PostgreSQL, which root may not run, reads there too.
folder=$(mktemp -d)
chmod 755 "$folder"
server=
clean_up() {
  if [ -n "$server" ]; then
    kill "$server" 2> /dev/null
    wait "$server" 2> /dev/null
  fi
  rm -rf "$folder"
}
trap clean_up EXIT
tools=${AQUIFER_TEST_TOOLS:-$folder/tools}
mkdir -p "$tools"

# once NAME COMMAND…: runs the command, which makes $tools/NAME, unless that was done; its last words are in $tools/NAME.log.
once() {
  local name=$1
  shift
  (
    # Alone it need not wait for others, and macOS has no flock.
    [ -z "${AQUIFER_TEST_TOOLS:-}" ] || flock 8
    [ -e "$tools/$name.made" ] || { "$@" > "$tools/$name.log" 2>&1 && touch "$tools/$name.made"; }
  ) 8> "$tools/$name.lock"
}

# python_with NAME PACKAGE…: a virtual environment with packages of PyPI. What is never imported need not be compiled.
python_with() {
  local name=$1
  shift
  command -v python3 > /dev/null || skip "there is no python3 here"
  once "$name" make_environment "$tools/$name" "$@" || skip "$* cannot be installed: $(tail -n 1 "$tools/$name.log")"
}
make_environment() {
  python3 -m venv "$1" && "$1/bin/pip" install --quiet --no-compile --disable-pip-version-check "${@:2}"
}

# The SDK, and of moto what serves S3: moto[server] would bring what checks templates of CloudFormation, 200 MB of it.
python_with_sdk() { python_with sdk boto3 'moto[s3]' flask flask-cors; }
python_with_schemathesis() { python_with schemathesis 'schemathesis>=4,<5'; }

# debian_package NAME: installed where it is missing and this is root. Fails where it cannot be.
debian_package() {
  command -v apt-get > /dev/null && [ "$(id -u)" -eq 0 ] && once "debian-$1" install_debian_package "$1"
}
install_debian_package() {
  apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$1"
}

with_chromium() { command -v chromium > /dev/null || debian_package chromium; }
with_compose() { command -v docker-compose > /dev/null || debian_package docker-compose; }
with_postgres() { once postgres bash scripts/make-postgres.sh "$tools/postgres"; }

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}
