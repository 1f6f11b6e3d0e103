import dramatiq


@dramatiq.actor
def mail(): ...
