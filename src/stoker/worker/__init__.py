"""A worker: claims jobs, runs them, settles their outcomes, keeps their leases."""

from stoker.worker.worker import Worker

__all__ = ["Worker"]
