"""Secrets at rest: the only importer of cryptography, beside the page's certificate.

    vault = open_vault(data / "vault", credentials_folder(os.environ))
    sealed = vault.seal("connections", record_id, "password", revision, SecretStr(...))
    match vault.unseal("connections", record_id, "password", revision, sealed):
        case SecretStr() as password: ...
        case Unreadable() as why: ...      # "enter it again": never a crash, never plaintext

A seal binds device, table, record, field and revision: a secret that was moved elsewhere does not open.
Rotation: `begin_rotation`, seal anew what `needs_resealing`, store it, `finish_rotation`; a process killed anywhere in
between goes on where it was. `destroy` is the factory reset; `destroy_keys` is for a vault that is not open.
`vault.binder.value` says what the secrets are bound to. `VaultProblem` comes out of whatever writes files; its text is
for users.

A backup holds no key of this box: its passphrase opens it anywhere.

    data = await trio.to_thread.run_sync(write_backup, passphrase, payload)
    match await trio.to_thread.run_sync(read_backup, passphrase, data):
        case bytes() as payload: ...
        case BackupRefusal() as why: ...   # why.value is a sentence for the user
"""

from firmware.vault.backup import BackupRefusal, read_backup, write_backup
from firmware.vault.kek import Binder, credentials_folder
from firmware.vault.seal import Unreadable
from firmware.vault.vault import Vault, VaultProblem, destroy_keys, open_vault

__all__ = [
    "BackupRefusal",
    "Binder",
    "Unreadable",
    "Vault",
    "VaultProblem",
    "credentials_folder",
    "destroy_keys",
    "open_vault",
    "read_backup",
    "write_backup",
]
