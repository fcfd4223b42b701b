#!/usr/bin/env bash
# Runs a case of the Testground plan on this machine, without Docker:
#
#	testground/run.sh multihop --instances 50 [--direct]
#
# testground/run.sh -h lists the flags; testground/README.md says more.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meshnode/testground
mkdir -p "$cache"
go build -C "$root" -o "$cache/planrun" ./testground/cmd/planrun
exec "$cache/planrun" --root "$root" "$@"
