#!/bin/bash
case "$1" in
  api)
    exec uvicorn app.main:app
    ;;
  worker)
    exec celery --app=app.worker.celery worker -c ${CONCURRENCY:-3}
    ;;
esac
