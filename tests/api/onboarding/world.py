"""Two farms whose devices come into service."""

from typing import Any

import sqlalchemy as sa

from storage import tables
from tests.api.asking import Api, put_key
from tests.two_farms import put_land

KEY = "ab" * 32


class World:
    """Two farms; an operator of one of them, and an administrator."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.api = engine, Api(engine)
        with engine.begin() as connection:
            self.mine = put_land(connection, "mine", "KZ-61")
            self.theirs = put_land(connection, "theirs", "KZ-43")
        self.operator = put_key(engine, "operator", farm_ids=[self.mine.farm])
        self.boss = put_key(engine, "boss", everything=True)
        with engine.connect() as connection:
            self._before = connection.scalar(sa.select(sa.func.max(tables.audit_log.c.id))) or 0

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        return self.api.ask(method, f"/v1{path}", key=key or self.operator, **more)

    def register(self, *, key: str | None = None, **body: Any) -> Any:
        usual = {"id": "new-probe", "farm": "mine", "kind": "soil-probe"}
        return self.ask("POST", "/devices", key=key, json=usual | body)

    def deeds(self) -> list[tuple[str, str, str, int | None]]:
        deed = tables.audit_log.c
        query = sa.select(deed.actor, deed.action, deed.object, deed.farm_id).order_by(deed.id)
        query = query.where(deed.id > self._before)  # what made the farms wrote some, too
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]  # type: ignore[misc]

    def everything_stored(self) -> str:
        """Every row of every table, as text."""
        with self.engine.connect() as connection:
            return "\n".join(
                str(row)
                for table in tables.metadata.sorted_tables
                for row in connection.execute(sa.select(table))
            )
