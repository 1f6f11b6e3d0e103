from celery import shared_task


@shared_task
def ship(order):
    return order


@shared_task
def invoice(order):
    return order
