@echo off
call venv\Scripts\activate
start "worker" cmd /k "celery -A shop worker -l info -P solo -Q mail"
REM celery -A old worker
