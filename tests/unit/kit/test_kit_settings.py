"""Settings from the environment."""

from typing import ClassVar

import pytest

from mgrd.home import AREAS
from services.features.settings import FeaturesSettings
from services.inference.agent_main import AgentSettings
from services.inference.gateway_main import GatewaySettings
from services.kit.settings import ServiceSettings, SettingsError
from services.orchestrator.settings import OrchestratorSettings
from services.registry.settings import RegistrySettings


class Settings(ServiceSettings):
    own_prefix: ClassVar[str] = "registry"
    registry_grace_s: float = 60.0


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRD_REGISTRY_GRACE_S", "5")
    monkeypatch.setenv("MGRD_REGISTRY_ADDR", "127.0.0.1:1")
    settings = Settings.from_environment(listen="127.0.0.1:7")
    assert (settings.registry_grace_s, settings.registry_addr, settings.listen) == (5.0, "127.0.0.1:1", "127.0.0.1:7")


def test_addresses_of_all_services_are_known_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process is told them all, and one that begins with its own prefix must not pass for a misspelt option."""
    for area in AREAS:
        monkeypatch.setenv(f"MGRD_{area.upper()}_ADDR", "127.0.0.1:1")
    for settings in (FeaturesSettings, OrchestratorSettings, RegistrySettings, GatewaySettings, AgentSettings):
        settings.from_environment()


def test_a_misspelt_option_is_an_error_that_lists_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRD_REGISTRY_GRACE", "5")
    with pytest.raises(SettingsError, match=r"MGRD_REGISTRY_GRACE;.*MGRD_REGISTRY_GRACE_S"):
        Settings.from_environment()


def test_a_value_of_the_wrong_type_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRD_REGISTRY_GRACE_S", "soon")
    with pytest.raises(SettingsError, match="MGRD_REGISTRY_GRACE_S") as refused:
        Settings.from_environment()
    assert "soon" not in str(refused.value)  # it might be a secret in the wrong place


def test_required_settings_are_named_when_missing() -> None:
    with pytest.raises(SettingsError, match="MGRD_DATABASE_URL, MGRD_EVENTS_URL"):
        Settings(listen="x").require("listen", "database_url", "events_url")
