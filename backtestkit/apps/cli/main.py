"""`backtestkit`: the program itself. It knows where each command lives, and how errors are shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from backtestkit.errors import BacktestKitError

DEBUG_FLAG: Final = "--debug"
COMMANDS: Final = {
    "backtest": ("backtestkit.apps.cli.backtest", "backtest_app"),
    "data": ("backtestkit.apps.cli.data", "data_app"),
    "notify-test": ("backtestkit.apps.cli.notify_test", "notify_test_app"),
    "report": ("backtestkit.apps.cli.report", "report_app"),
    "runs": ("backtestkit.apps.cli.runs", "runs_app"),
    "sweep": ("backtestkit.apps.cli.sweep", "sweep_app"),
    "walker": ("backtestkit.apps.cli.walker", "walker_app"),
    "version": ("backtestkit.apps.cli.version", "version_app"),
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported one by one, when they are run or listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = typer.main.get_command(getattr(import_module(module), attribute))
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    help="Test trading strategies on history.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    debug: Annotated[bool, typer.Option(DEBUG_FLAG, help="Show tracebacks. Accepted anywhere on the line.")] = False,
) -> None:
    """Test trading strategies on history."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and exit: 0 when all went well, 1 for an error, 2 for a line that makes no sense.

    An error of the framework is shown as one block without a traceback, unless `--debug` is given; any other exception
    is a defect and travels as it is.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG_FLAG in given
    words = [word for word in given if word != DEBUG_FLAG]
    try:
        typer.main.get_command(app).main(args=words, prog_name="backtestkit")
    except BacktestKitError as error:
        if debug:
            raise
        from backtestkit.apps.cli.error_block import error_block

        typer.echo(error_block(error), err=True)
        raise SystemExit(1) from None
