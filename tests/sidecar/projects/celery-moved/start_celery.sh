#!/bin/sh
celery -A oldname worker --loglevel=info
