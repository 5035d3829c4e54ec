"""The `mgrd` command, wired: its subcommands, its exit codes, its completion."""

import click
from click.shell_completion import get_completion_class

from mgrd import __version__
from mgrd.cli.ask_command import ask
from mgrd.cli.demo_command import demo
from mgrd.cli.model_commands import model
from mgrd.cli.output import CODES_HELP
from mgrd.cli.pipeline_commands import pipeline
from mgrd.cli.platform_commands import down, logs, status, up
from mgrd.cli.release_commands import approve, promote, rollback
from mgrd.cli.run_commands import run
from mgrd.cli.usage import MgrdGroup


@click.group(cls=MgrdGroup, epilog=CODES_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Teach audio-language models to reason over sound, and take each checkpoint to production.

    Every subcommand takes --output json; those that call services take --as PERSON.
    """


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script: eval "$(mgrd completion bash)"."""
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(main, {}, "mgrd", "_MGRD_COMPLETE").source())


for command in (up, down, status, logs, run, pipeline, model, promote, approve, rollback, ask, demo):
    main.add_command(command)
