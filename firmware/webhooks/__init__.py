"""Who is told of calls that ended: signed webhooks, tried again for a day.

`run_webhooks(store, vault, changed)` serves a `Webhooks`: it makes deliveries of sessions that ended, and makes them.
Each is made at least once: it is on the disk before anything is sent, and its answer after. A receiver that was told
and could not say so is told again, with the same delivery id.
"""

from firmware.webhooks.client import WebhookClient, open_client
from firmware.webhooks.service import AT_ONCE, TEST, Webhooks, run_webhooks

__all__ = ["AT_ONCE", "TEST", "WebhookClient", "Webhooks", "open_client", "run_webhooks"]
