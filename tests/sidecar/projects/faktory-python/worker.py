import os

from faktory import Worker

w = Worker(faktory=os.environ["FAKTORY_URL"], queues=["mail"], concurrency=1)
w.run()
