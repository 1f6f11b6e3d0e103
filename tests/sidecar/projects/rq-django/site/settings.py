INSTALLED_APPS = ["django_rq"]
RQ_QUEUES = {
    "default": {"URL": "redis://localhost"},
    "mail": {"URL": "redis://localhost"},
}
