"""The application's line to its background jobs. Their code is not imported here."""

from __future__ import annotations

from stoker import Stoker

from depot.settings import settings

app = Stoker(settings.broker_url)
