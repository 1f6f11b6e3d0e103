"""Depot: organisations upload pictures, and get them back checked and in several sizes.

Everything here is the application, except ``depot.jobs`` and ``depot.worker``: the worker.
They import the application; the application never imports them.
"""
