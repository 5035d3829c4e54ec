"""How Kafka's brokers are spoken to: plain, over TLS, signed in by SASL, or both.

Promises that half a configuration is an error and not plain text, and that a certificate must name the broker it is
shown by. Leaves OAuth and Kerberos out.
"""

from dataclasses import dataclass, field

from services.kit.events.bus import EventError

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class BrokerSecurityError(EventError):
    """The settings contradict one another; the message names them."""

    reason = "BROKER_SECURITY_INVALID"


@dataclass(frozen=True)
class BrokerSecurity:
    """What a client shows brokers, and what it wants to see."""

    tls: bool = False
    ca: str = ""
    """File with the certificates (PEM) that sign the brokers'; empty: those the system trusts."""
    cert: str = ""
    """The client's own certificate, where brokers ask for one."""
    key: str = ""
    mechanism: str = ""
    """How to sign in, one of MECHANISMS; empty: not at all."""
    username: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if (self.ca or self.cert or self.key) and not self.tls:
            raise BrokerSecurityError("certificates are named and TLS is off; set MGRD_EVENTS_TLS=true")
        if bool(self.cert) != bool(self.key):
            raise BrokerSecurityError("one of MGRD_EVENTS_CERT and MGRD_EVENTS_KEY is set; set both or neither")
        if self.mechanism and self.mechanism not in MECHANISMS:
            raise BrokerSecurityError(f"MGRD_EVENTS_SASL is {self.mechanism!r}; use one of {', '.join(MECHANISMS)}")
        if bool(self.mechanism) != bool(self.username and self.password):
            raise BrokerSecurityError("MGRD_EVENTS_SASL, MGRD_EVENTS_USERNAME and MGRD_EVENTS_PASSWORD go together")

    def options(self) -> dict[str, str]:
        """As options of kafka-python's clients."""
        carrier = "SSL" if self.tls else "PLAINTEXT"
        found = {"security_protocol": f"SASL_{carrier}" if self.mechanism else carrier}
        if self.mechanism:
            found |= {"sasl_mechanism": self.mechanism}
            found |= {"sasl_plain_username": self.username, "sasl_plain_password": self.password}
        files = {"ssl_cafile": self.ca, "ssl_certfile": self.cert, "ssl_keyfile": self.key}
        return found | {name: path for name, path in files.items() if path}


NO_SECURITY = BrokerSecurity()
