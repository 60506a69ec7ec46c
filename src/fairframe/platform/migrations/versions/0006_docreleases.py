"""Document releases say where and how long they hold, and whether of a minor.

NULL means what older releases mean: the world, without an end, not of a minor.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("document_release", sa.Column("territory", sa.Text(), nullable=True))
    op.add_column("document_release", sa.Column("valid_until_ms", sa.BigInteger(), nullable=True))
    op.add_column("document_release", sa.Column("minor", sa.Boolean(), nullable=True))
    op.add_column("document_release", sa.Column("guardian", sa.Boolean(), nullable=True))
