from setuptools import setup

setup(name="flower", install_requires=["celery"])
