import sys

from jobs import store, work
from rq import Queue

Queue(connection=store).enqueue(work, sys.argv[1], float(sys.argv[2]))
