INSTALLED_APPS = ["huey.contrib.djhuey"]
