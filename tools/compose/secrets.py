"""The secrets of the platform under Docker Compose, made once: `python -m tools.compose.secrets FOLDER`.

Promises that nothing has a default password: FOLDER/env gets a random one for each store, FOLDER/tokens a token for
each person and service. FOLDER is a platform's folder (`MGRD_HOME=FOLDER mgrd`), readable by its owner alone; the files
inside are readable by all, because a container reads them under a user of its own.
"""

import secrets
import sys
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from mgrd.files import write_whole
from mgrd.home import Home, PlatformRecord
from mgrd.platform.people import issue_secret, issue_tokens

PASSWORDS = (
    *("MGRD_POSTGRES_PASSWORD", "REGISTRY_PASSWORD", "ORCHESTRATOR_PASSWORD", "INFERENCE_PASSWORD"),
    *("MGRD_S3_SECRET", "MGRD_GRAFANA_PASSWORD"),
)
ADDRESSES = {"features": 50061, "registry": 50062, "orchestrator": 50063, "inference": 50064, "inference-http": 8080}


def make_secrets(folder: Path) -> None:
    """Makes what is missing in `folder`; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    home = Home(folder)
    issue_tokens(home)
    issue_secret(home.tokens / "triton-admin.key")
    for path in home.tokens.iterdir():
        path.chmod(0o644)
    home.tokens.chmod(0o755)
    if home.read_record() is None:
        addresses = {name: f"127.0.0.1:{port}" for name, port in ADDRESSES.items()}
        home.write_record(PlatformRecord(addresses, kept_by="Docker Compose (tools/compose/up.sh, docker compose ps)"))
    environment = folder / "env"
    known = environment.read_text().splitlines() if environment.is_file() else []
    names = {line.partition("=")[0] for line in known}
    made = {name: secrets.token_urlsafe(24) for name in PASSWORDS}
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    made["MGRD_KAFKA_CLUSTER_ID"] = f"M{cluster_id[1:]}"  # Kafka takes none that begins with a dash
    lines = [*known, *(f"{name}={value}" for name, value in made.items() if name not in names)]
    write_whole(environment, "\n".join(lines) + "\n", mode=0o600)


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]).resolve())
