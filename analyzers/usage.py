"""One command line from its words to its exit code; what is wrong is one line on stderr."""

import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from brokers.errors import SeawallError

BAD_INPUT, INTERRUPTED = 2, 130
COMPLETION = ("--install-completion", "--show-completion")


def answered(app: typer.Typer, argv: Sequence[str], program: str, script: str) -> int:
    """Run one command; returns its exit code, 2 for bad input, 130 for Ctrl-C.

    Args:
        program: what was called, such as ``python -m backtest``.
        script: the installed script of the same commands; a shell completes its words alone.
    """
    name = script if argv and argv[0] in COMPLETION else program
    try:
        # Called as app(...), Typer would put its own excepthook in place of the caller's.
        code = get_command(app).main(list(argv), prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        # Without any word Typer has shown its help and says no more.
        return complained(complaint(error, program)) if argv else BAD_INPUT
    except SeawallError as error:
        return complained(str(error))
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return int(code or 0)


def complaint(error: typer.TyperException, program: str) -> str:
    """What is wrong, and where help is: of the command that was called, else of the program."""
    told = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    called = context.command_path if context else program
    return f"{' '.join(told.split()).rstrip('.')}; see {called} --help"


def complained(text: str, code: int = BAD_INPUT) -> int:
    """Say on stderr what is wrong; returns the exit code."""
    sys.stderr.write(f"error: {' '.join(text.split())}\n")
    return int(code)
