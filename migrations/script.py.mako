"""${message}"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

# What a downgrade deletes, for the people who are asked before it.
loses = ""


def upgrade() -> None:
    # Where code of before can't work on what this makes (and in downgrade the value of before):
    # op.execute("UPDATE gatehouse.compatibility SET oldest_code = '${up_revision}'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
