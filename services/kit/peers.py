"""Where a call comes from.

Promises that only loopback and Unix sockets count as this machine. A proxy on this machine makes everybody it serves
look near, so nothing may rest on this alone: it narrows what a known caller may do and lets nobody in.
"""

import ipaddress
from urllib.parse import unquote


def is_on_this_machine(peer: str) -> bool:
    """Whether gRPC's name of a caller, "ipv4:127.0.0.1:5000" or "ipv6:[::1]:5000", is one of this machine."""
    kind, _, address = unquote(peer).partition(":")
    if kind not in ("ipv4", "ipv6"):
        return kind == "unix"
    try:
        return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False
