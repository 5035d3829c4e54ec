"""Settings of a process, from its environment: MGRD_<NAME>.

Promises that a misspelt option is an error and not silence: a variable that begins with the service's own prefix
(MGRD_REGISTRY_...) and names no field is refused. Leaves the choice of values to the supervisor or the chart.
"""

import os
from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mgrd.clients.tls import Tls
from services.kit.events.bus import EventBus, open_bus
from services.kit.events.security import BrokerSecurity


class SettingsError(ValueError):
    """The environment cannot be used; the message names the variable and the remedy."""

    reason = "SETTINGS_INVALID"


class ServiceSettings(BaseSettings):
    """What every service reads; subclasses add fields and set `own_prefix`, such as "registry"."""

    model_config = SettingsConfigDict(env_prefix="MGRD_", frozen=True, extra="ignore")
    own_prefix: ClassVar[str] = ""

    listen: str = "127.0.0.1:0"
    metrics_listen: str = ""
    health_listen: str = ""
    """Where health alone is answered in plain text: a kubelet's probes know no certificates."""
    database_url: str = ""
    events_url: str = ""
    events_tls: bool = False
    events_ca: str = ""
    events_cert: str = ""
    events_key: str = ""
    events_sasl: str = ""
    events_username: str = ""
    events_password: str = ""
    store_url: str = ""
    home: str = ""
    tokens_file: str = ""
    token_file: str = ""
    features_addr: str = ""
    orchestrator_addr: str = ""
    registry_addr: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    tls_mutual: bool = False
    migrate: bool = False
    reflection: bool = False
    log_level: str = "INFO"
    max_concurrent_rpcs: int = 64
    max_deadline_s: float = 300.0
    max_message_bytes: int = 64 * 2**20
    drain_s: float = 10.0

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """The settings of this process; SettingsError on an unknown option or a value of the wrong type."""
        unknown = cls._unknown_variables(os.environ)
        if unknown:
            raise SettingsError(f"unknown option {unknown[0]}; the options are {', '.join(cls._own_variables())}")
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            variable = "MGRD_" + "_".join(map(str, first["loc"])).upper()
            raise SettingsError(f"{variable}: {first['msg']}") from None

    @classmethod
    def _own_variables(cls) -> list[str]:
        prefix = f"{cls.own_prefix}_"
        return sorted(f"MGRD_{field}".upper() for field in cls.model_fields if field.startswith(prefix))

    @classmethod
    def _unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        if not cls.own_prefix:
            return []
        known = set(cls._own_variables())
        prefix = f"MGRD_{cls.own_prefix.upper()}_"
        return sorted(name for name in environment if name.startswith(prefix) and name not in known)

    def client_tls(self) -> Tls | None:
        """How this process calls others; None is plain text."""
        return Tls.of(ca=self.tls_ca, cert=self.tls_cert, key=self.tls_key)

    def open_bus(self) -> EventBus:
        """The bus this process publishes to and reads; BrokerSecurityError where MGRD_EVENTS_... contradict."""
        security = BrokerSecurity(
            tls=self.events_tls,
            ca=self.events_ca,
            cert=self.events_cert,
            key=self.events_key,
            mechanism=self.events_sasl,
            username=self.events_username,
            password=self.events_password,
        )
        return open_bus(self.events_url, security=security)

    def require(self, *fields: str) -> None:
        """SettingsError unless each of these fields is set."""
        missing = [f"MGRD_{field.upper()}" for field in fields if not getattr(self, field)]
        if missing:
            raise SettingsError(f"{', '.join(missing)} must be set for this process")
