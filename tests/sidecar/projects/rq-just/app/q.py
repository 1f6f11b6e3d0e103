from rq import Queue
q=Queue("mail")
