import os

from flask import Flask
from redis import Redis
from rq import Queue

app = Flask(__name__)
mail = Queue("mail", connection=Redis.from_url(os.environ["REDIS_URL"]))
SIGNING_KEY = os.environ["SIGNING_KEY"]
