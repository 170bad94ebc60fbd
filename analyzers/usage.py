"""What a command line says in one line when its words cannot be read."""

import typer


def complaint(error: typer.TyperException, program: str) -> str:
    """What is wrong, and where help is: of the command that was called, else of the program."""
    told = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    called = context.command_path if context else program
    return f"{' '.join(told.split()).rstrip('.')}; see {called} --help"
