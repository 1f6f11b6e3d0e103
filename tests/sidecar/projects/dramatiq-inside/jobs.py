import dramatiq
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url="redis://redis")
dramatiq.set_broker(broker)


@dramatiq.actor
def mail(): ...
