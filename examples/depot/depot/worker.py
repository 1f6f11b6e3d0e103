"""What the worker loads: ``stoker worker depot.worker:app``. Importing the jobs registers them."""

from depot.app import app
from depot.jobs import sync_uploads, thumbnails, verify

__all__ = ["app", "sync_uploads", "thumbnails", "verify"]
