from stoker import Stoker

app = Stoker()


def all_tasks():
    from shop.jobs import mail, pictures

    return [mail.mail, pictures.shrink]
