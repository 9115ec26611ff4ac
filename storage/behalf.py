"""For whom something is done while nobody asks: messages sent, reports filed when they are due.

What they may do by then counts, and not what they might when they asked for it.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from storage import accounts, api_clients
from storage.permissions import ROLES, SCOPES
from storage.tenancy import Reach


class Behalf(NamedTuple):
    """A person or a program; neither: who administers the machine, and may everything."""

    account_id: int | None = None
    client_id: int | None = None


class Rights(NamedTuple):
    """What somebody may do, and on what."""

    scopes: frozenset[str]
    reach: Reach

    def allow(
        self, *scopes: str, farm_id: int | None, region: str | None, everything: bool = False
    ) -> bool:
        """Whether they have all of these scopes, on a farm in a region or on an area.

        Parameters
        ----------
        region : str or None
            The code of the area, or of the farm's region.
        everything : bool
            Of an area they must see every farm there is.
        """
        if farm_id is not None:
            sees = self.reach.has_farm(farm_id, region)
        else:
            sees = self.reach.everything if everything else self.reach.has_region(region or "")
        return sees and self.scopes.issuperset(scopes)


NOTHING = Rights(frozenset(), Reach())


def rights(connection: sa.Connection, of: Behalf) -> Rights:
    """What they may do now; nothing, where they are disabled."""
    if of.account_id is not None:
        account = accounts.by_id(connection, of.account_id)
        return NOTHING if account.disabled else Rights(ROLES[account.role], account.reach)
    if of.client_id is not None:
        client = api_clients.by_id(connection, of.client_id)
        return NOTHING if client.disabled else Rights(frozenset(client.scopes), client.reach)
    return Rights(frozenset(SCOPES), Reach(everything=True))
