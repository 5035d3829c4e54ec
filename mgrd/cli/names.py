"""Short ways to say resource names: "nano" for models/nano, "nano/3" for its third version."""

import click


def model_name(text: str) -> str:
    """`models/{model}` from "nano" or "models/nano"."""
    return text if text.startswith("models/") else f"models/{text}"


def version_name(text: str) -> str:
    """`models/{model}/versions/{version}` from "nano/3" or the whole name."""
    if text.startswith("models/"):
        return text
    model, _, number = text.partition("/")
    if not number:
        raise click.BadParameter(f"{text!r} names no version; write MODEL/NUMBER, such as nano/3")
    return f"models/{model}/versions/{number}"


def alias_name(model: str, alias: str) -> str:
    """`models/{model}/aliases/{alias}`."""
    return f"{model_name(model)}/aliases/{alias}"


def run_name(text: str) -> str:
    """`runs/{run}` from the run's id or name."""
    return text if text.startswith("runs/") else f"runs/{text}"


def short(name: str) -> str:
    """A resource name as people write it: "nano/3", "my-run"."""
    parts = name.split("/")
    return "/".join(parts[1::2]) if len(parts) > 1 else name


def model_of(version: str) -> str:
    """`models/{model}` of a version's name."""
    return "/".join(version.split("/")[:2])
