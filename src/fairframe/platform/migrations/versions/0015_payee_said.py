"""What a payee's row says of itself: what it leaves open is looked up in the rows before it when it is read.

The column stays empty in earlier rows, which the audit tree's digests cover as they are: those say everything.
"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("alter table payee add column said text")
