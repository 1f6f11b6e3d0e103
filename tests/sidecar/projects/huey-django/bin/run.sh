#!/bin/bash
case $1 in
  web) exec gunicorn conf.wsgi ;;
  huey) exec python manage.py run_huey -w 4 ;;
esac
