INSTALLED_APPS = ["django_dramatiq"]
