"""Events between services: CloudEvents on a partitioned log, written by an outbox and read through an inbox.

`event` is the value, `bus` the port, `log` and `kafka` its adapters, `relay` and `subscription` the two background
workers that tie a service's database to the bus.
"""
