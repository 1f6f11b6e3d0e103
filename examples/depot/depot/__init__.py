"""Depot: organisations upload pictures, and get them back checked and in several sizes.

Everything here is the application, except ``depot.jobs`` and ``depot.worker``. Those are the worker:
they import the application, and the application never imports them.
"""
