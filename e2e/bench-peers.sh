#!/usr/bin/env bash
# Measures a task of Ogham and one of a real Druid on the same topic of a real Kafka, one after the other, on this machine.
#   bench-peers.sh [ROWS]
# OGHAM_DRUID_TOOLS names the folder of the scripts that bring both up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=${OGHAM_DRUID_TOOLS:-$PWD/../shared/tools/druid}
[ -x "$tools/kafka.sh" ] || { echo "bench-peers: there is no kafka.sh in $tools: set OGHAM_DRUID_TOOLS" >&2; exit 1; }
run=$(mktemp -d)
export KAFKA_RUN=$run/kafka DRUID_RUN=$run/druid KAFKA_PORT=${KAFKA_PORT:-29592} DRUID_PORT_BASE=${DRUID_PORT_BASE:-29000}
finish() { "$tools/run-cluster.sh" stop || true; "$tools/kafka.sh" stop || true; rm -rf "$run"; }
trap finish EXIT
"$tools/setup.sh"
"$tools/kafka.sh" start
"$tools/run-cluster.sh" start
./bin/ogham bench -rows "${1:-3000000}" -kafka "127.0.0.1:$KAFKA_PORT" -druid "http://127.0.0.1:$((DRUID_PORT_BASE + 81))"
