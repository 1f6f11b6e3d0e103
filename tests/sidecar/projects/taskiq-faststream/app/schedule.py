from faststream.nats import NatsBroker
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_faststream import BrokerWrapper, StreamScheduler

broker = NatsBroker("nats://localhost:4222")
tasks = BrokerWrapper(broker)
tasks.task(message="wake up", subject="alarm", schedule=[{"cron": "* * * * *"}])
scheduler = StreamScheduler(broker=tasks, sources=[LabelScheduleSource(tasks)])
