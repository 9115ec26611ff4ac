"""The regions of the country are there before any farm that names its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import insert

from storage.regions import REGIONS

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add those that are not there; what somebody wrote of one stays."""
    names = ("code", "kato_prefix", "name_kk", "name_ru", "name_en")
    regions = sa.table("regions", *(sa.column(name) for name in names))
    statement = insert(regions).values([one._asdict() for one in REGIONS])
    op.execute(statement.on_conflict_do_nothing())
