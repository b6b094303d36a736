"""Who is told of calls by e-mail: the people whom an agent's owner named, through the owner's own mail server.

`run_letters(store, vault, changed)` serves `Letters`: it makes letters of sessions that ended, one for each address,
and posts them. Each is posted at least once: it is on the disk before anything is sent, and noted as soon as the mail
server took it. One that it took without being able to say so is sent again, with the same Message-ID.
"""

from firmware.mail.client import MailClient, open_mail
from firmware.mail.service import Letters, opened_password, run_letters

__all__ = ["Letters", "MailClient", "open_mail", "opened_password", "run_letters"]
