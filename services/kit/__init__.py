"""What every service is built from: server, errors, auth, settings, database, events, telemetry.

Knows no service and no model. Importing it does no I/O.
"""
