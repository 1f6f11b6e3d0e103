#!/usr/bin/env bash
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
QUEUES="mail,reports"
LOGLEVEL="${LOGLEVEL:-info}"
WORKERS=$(nproc)
OPTIONS=(--without-gossip "--loglevel=$LOGLEVEL")

cd "$ROOT"

exec "$ROOT/.venv/bin/celery" -A shop.worker worker \
  "${OPTIONS[@]}" \
  --concurrency "$WORKERS" \
  -Q "$QUEUES" "$@"
