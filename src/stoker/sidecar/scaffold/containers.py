"""The worker's containers: a plan like any other."""

from __future__ import annotations

from stoker.sidecar.plan import Image, Plan, Service, Store
from stoker.sidecar.scaffold.layout import WORKER, Layout, worker_folder

PYTHON = "3.13"
GRACE = 40
"""Seconds: more than the thirty that a worker gives its running jobs."""


def plan(layout: Layout) -> Plan:
    """Return the plan: an image of its own, jobs in a file on a shared volume."""
    folder = worker_folder(layout)
    image = Image(
        name=layout.name,
        context=".",
        language="python",
        manager=layout.manager,
        version=PYTHON,
        manifests=layout.manifests,
        dockerfile=f"{folder}/Dockerfile",
    )
    service = Service(
        name="bg-worker",
        role="worker",
        framework="stoker",
        image=layout.name,
        command=("stoker", "worker", f"{WORKER}.main:app"),
        needs=("jobs",),
        stop_grace=GRACE,
        watch=(layout.source,),
    )
    jobs = Store(
        name="jobs",
        kind="sqlite",
        image="sqlite:3",
        variables={"STOKER_URL": "sqlite:////data/jobs.db"},
    )
    return Plan(
        name=layout.name,
        images=(image,),
        services=(service,),
        stores=(jobs,),
        compose_files=layout.compose_files,
    )
