"""One writer at a time, on PostgreSQL as on SQLite, where beginning to write is that already.

The registry writes seldom and briefly; waiting in line is sooner done than repeating lost races. LOCK must be the
transaction's first statement: PostgreSQL takes the snapshot after it, so the writer sees what its predecessor did.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session


def one_writer_at_a_time(session: Session) -> None:
    """Waits until no other transaction writes to the registry; readers are not held up."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE"))
