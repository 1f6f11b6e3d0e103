"""A worker in an application that has none: its package, the one-way rule, its containers."""

from stoker.sidecar.scaffold.containers import plan
from stoker.sidecar.scaffold.layout import Layout, look_at, worker_folder
from stoker.sidecar.scaffold.rule import contract

__all__ = ["Layout", "contract", "look_at", "plan", "worker_folder"]
