from taskiq_nats import NatsBroker

broker = NatsBroker(["nats://localhost"])
