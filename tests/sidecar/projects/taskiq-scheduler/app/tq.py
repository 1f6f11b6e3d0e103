from taskiq import TaskiqScheduler
from taskiq_redis import ListQueueBroker

broker = ListQueueBroker("redis://localhost")
scheduler = TaskiqScheduler(broker, [])
