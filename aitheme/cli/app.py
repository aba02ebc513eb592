"""Entry point: the commands, and one line with exit code 2 for whatever a user can mend."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from aitheme.errors import AithemeError, NothingUsableError, StoreBusyError

__all__ = ["app", "main"]

# Typer bundles click under a private name; its usage error is the public base of typer.BadParameter.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="aitheme",
    help="Thematic equity research on China A-shares: baskets, point-in-time store, event studies, report charts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help starts twice as fast, and leaves [brackets] in option texts alone.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> NoReturn:
    """Run the command line; the process exits with the command's code."""
    from aitheme.cli import analyse, data, indicators, lab, lists, report, screen, status, study  # noqa: F401 (importing registers the commands)

    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "aitheme"
        _fail(f"{getattr(error, 'format_message', error.__str__)()} See `{where} --help`.")
    except NothingUsableError as error:
        _fail(str(error), code=1)
    except StoreBusyError as error:
        _fail(str(error), code=75)
    except AithemeError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; nothing was published", code=130)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 2) -> NoReturn:
    sys.stderr.write(f"aitheme: {' '.join(message.split())}\n")
    sys.exit(code)
