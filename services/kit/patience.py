"""How long a service waits for a PostgreSQL that does not answer: `create_engine(url, connect_args=patience(url))`.

The driver by itself waits two minutes for a packet that was lost, and for ever on a connection whose other end is gone;
a pod would be unready all the while. What the database's URL says itself is left as it is.
"""

from sqlalchemy import make_url

_POSTGRES = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Seconds, but for the last, milliseconds; libpq's names."""


def patience(url: str) -> dict[str, int]:
    """Arguments of the driver's connect; none where the database is a file."""
    asked = make_url(url)
    if asked.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in _POSTGRES.items() if name not in asked.query}
