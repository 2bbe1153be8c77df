#!/usr/bin/env bash
# What the containers are made of, without an engine for containers: bash scripts/test-deployment.sh
# Their commands run as processes beside a PostgreSQL of Debian's; docker-compose.yml is checked by Compose; the steps of the Dockerfile make a
# production tree in a temporary folder, whose program must start.
set -u
cd "$(dirname "$0")/.." || exit
passed=0 failed=0 skipped=0
note() {
  if [ "$2" -eq 0 ]; then passed=$((passed + 1)); echo "✔ $1"; else failed=$((failed + 1)); echo "✖ $1"; fi
}
# shellcheck source=scripts/test-tools.sh
. scripts/test-tools.sh

bash scripts/test-postgres.sh node scripts/test.mjs deployment 2>&1 | tee "$folder/out"
read -r p f s <<< "$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$folder/out" | tail -n 1)"
passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))

git ls-files -z | grep -zvE '^(bench|docs|examples|scripts|\.ci)/' | xargs -0 cp --parents -t "$folder" 2> /dev/null
cd "$folder" || exit 1
mkdir -p secrets
compose=
if docker compose version > /dev/null 2>&1; then compose='docker compose'
elif with_compose; then compose=docker-compose
fi
if [ -n "$compose" ]; then
  $compose config > "$folder/compose.out" 2>&1
  note "docker-compose.yml is valid: $compose config" $?
else
  echo "skipped: docker-compose.yml is not checked by Compose, which is not here"
  skipped=$((skipped + 1))
fi

sed -n '/^FROM .* AS build/,/^FROM /s/^RUN //p' Dockerfile > steps
export ONNXRUNTIME_NODE_INSTALL=skip TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1
bash -e steps > log 2>&1
status=$?
[ "$status" -eq 0 ] || tail -n 20 log
note "the steps of the Dockerfile build: $(grep -c . steps) of them" "$status"
du -sh --apparent-size node_modules | sed "s,^,  ,"
node apps/cli/bin/aquifer.js --help > /dev/null 2>&1
note "the program starts from what they leave" $?

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
