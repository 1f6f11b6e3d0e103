#!/bin/sh
celery -A work.cel worker -Q fast --concurrency 8 &
celery -A work.cel worker -Q slow \
  --concurrency 2 &
wait
