from flask import Flask
from celery import Celery, Task

def celery_init_app(app):
    celery_app = Celery(app.name)
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    return celery_app

def create_app():
    app = Flask(__name__)
    app.config.from_mapping(CELERY=dict(broker_url="redis://localhost"))
    celery_init_app(app)
    return app
