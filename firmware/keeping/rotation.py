"""The vault's keys, renewed: a new one seals from now on, every stored secret is sealed anew, the old ones are gone.

A process that is killed anywhere in between has lost nothing: `finish_renewal` at the next start goes on.
"""

from __future__ import annotations

import trio
from pydantic import SecretStr

from firmware.storage import SqliteLedger, records
from firmware.storage.sealed import read_sealed, write_sealed
from firmware.vault import Vault


async def renew_keys(store: SqliteLedger, vault: Vault) -> None:
    """Raises: VaultProblem, StorageFault; no secret is lost then."""
    await trio.to_thread.run_sync(vault.begin_rotation)
    await finish_renewal(store, vault)


async def finish_renewal(store: SqliteLedger, vault: Vault) -> None:
    """Nothing happens unless keys are being renewed. Raises: VaultProblem, StorageFault; no secret is lost then."""
    if vault.is_rotating:
        await store.transact(lambda db: reseal(db, vault))
        await trio.to_thread.run_sync(vault.finish_rotation)


def reseal(db: records.Db, vault: Vault) -> None:
    """What no key of ours opens stays as it is: it has to be entered again."""
    for secret in read_sealed(db):
        if not vault.needs_resealing(secret.data):
            continue
        place = (secret.table, secret.record, secret.field, secret.revision)
        match vault.unseal(*place, secret.data):
            case SecretStr() as plain:
                write_sealed(db, secret, vault.seal(*place, plain))
