#!/usr/bin/env bash
# Measures a task of Ogham and one of a real Druid on the same topic of a real Kafka, one after the other, on this machine.
#   bench-peers.sh [ROWS]      3,000,000 by default: about five minutes, most of them Druid's; issue 5's figures are of 5,000,000
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
# What a commit needs and no more: a broker and a historical would only take memory and processor from the task.
"$tools/kafka.sh" start &
kafka=$!
"$tools/run-cluster.sh" start zk coordinator-overlord middleManager > /dev/null
wait "$kafka"
./bin/ogham bench -only tasks -rows "${1:-3000000}" -kafka "127.0.0.1:$KAFKA_PORT" -druid "http://127.0.0.1:$((DRUID_PORT_BASE + 81))"
