"""The inference database: what replicas hold, what aliases want; plus the kit's tables.

Gateway and agent have a database each, of this one schema: the agent's holds its own replica's rows.
"""

from sqlalchemy import Column, MetaData, String, Table, Text

from services.kit.tables import Timestamp, kit_tables

metadata = MetaData()
kit_tables(metadata)

deployments = Table(
    "deployments",
    metadata,
    Column("replica", String(255), primary_key=True),
    Column("version", String(255), primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("observe_time", Timestamp, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("wanted_version", String(255), nullable=False),
    Column("wanted_digest", String(71), nullable=False),
    Column("wanted_front_end", Text, nullable=False),
    Column("serving_version", String(255)),
    Column("serving_digest", String(71)),
    Column("serving_front_end", Text),
)
