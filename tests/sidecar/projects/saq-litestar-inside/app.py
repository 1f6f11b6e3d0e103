from litestar import Litestar
from litestar_saq import QueueConfig, SAQConfig, SAQPlugin

saq = SAQConfig(
    use_server_lifespan=True,
    queue_configs=[QueueConfig(name="mail", dsn="redis://redis")],
)
app = Litestar(plugins=[SAQPlugin(config=saq)])
