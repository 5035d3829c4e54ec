"""Tokens for a release of the chart, in a folder: `python -m tools.issue_tokens FOLDER [--person NAME=ROLE+ROLE]...`.

Writes what the Secret named by `auth.existingSecret` holds: table.json, which knows tokens by their SHA-256 alone, and
NAME.token for each service and for `helm test`; and a NAME.token for each person, to be handed to them. Who has a token
keeps it: call it again to add somebody, or after deleting a token that got out. Says how to make the Secret.
"""

import argparse
import re
import sys
from pathlib import Path

from mgrd.platform.people import PEOPLE, SERVICES, Identity, issue

TEST = Identity("test", "service", ("reader",), "helm test")
RELEASE = (*SERVICES, TEST)
PERSONAL = ("reader", "author", "approver", "operator")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def person(text: str) -> Identity:
    """`ana=reader+author` as somebody; ArgumentTypeError says what is wrong with it."""
    name, _, roles = text.partition("=")
    found = tuple(roles.split("+"))
    if not _NAME.fullmatch(name) or name in {one.name for one in RELEASE}:
        raise argparse.ArgumentTypeError(f"{name!r} is no name for a person: small letters, and no service's name")
    if unknown := set(found) - set(PERSONAL):
        raise argparse.ArgumentTypeError(f"{sorted(unknown)} are no roles of people; use {', '.join(PERSONAL)}")
    return Identity(name, "person", found, "")


def secret_command(folder: Path) -> str:
    """What makes the Secret; people's tokens stay out of it."""
    files = ["table.json", *(f"{one.name}.token" for one in RELEASE)]
    return " \\\n    ".join(
        ["kubectl --namespace NAMESPACE create secret generic mgrd-auth"]
        + [f"--from-file={folder / name}" for name in files]
        + ["--dry-run=client --output=yaml | kubectl apply -f -"]
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.issue_tokens", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where tokens lie; readable by you alone")
    known = ", ".join(one.name for one in PEOPLE)
    parser.add_argument("--person", type=person, action="append", help=f"NAME=ROLE+ROLE; none: the examples {known}")
    chosen = parser.parse_args()
    issue(chosen.folder, (*(chosen.person or PEOPLE), *RELEASE))
    sys.stdout.write(f"{secret_command(chosen.folder)}\nhelm upgrade ... --set auth.existingSecret=mgrd-auth\n")


if __name__ == "__main__":
    main()
