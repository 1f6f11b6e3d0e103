from flask import Flask

from shop.jobs import mail


def create_app(settings=None):
    app = Flask(__name__)

    @app.post("/orders")
    def order():
        return {"job": mail.enqueue_sync("ada@example.com").id}

    return app
