"""Who counts as a caller of this machine."""

import pytest

from services.kit.peers import is_on_this_machine


@pytest.mark.parametrize("peer", ["ipv4:127.0.0.1:5000", "ipv6:[::1]:5000", "ipv6:%5B::1%5D:5000", "unix:", "unix:/a"])
def test_loopback_and_sockets_are_near(peer: str) -> None:
    assert is_on_this_machine(peer)


@pytest.mark.parametrize(
    "peer", ["ipv4:10.0.0.7:5000", "ipv6:[fe80::1]:5000", "ipv4:127.0.0.1.evil:1", "ipv4:", "", "vsock:2:1", "unix-not"]
)
def test_everybody_else_is_far(peer: str) -> None:
    assert not is_on_this_machine(peer)
