from redis import Redis
from rq import Queue, Worker

def main():
    Worker([Queue("mail")], connection=Redis()).work()
