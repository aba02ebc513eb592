"""``python -m benchmarks NAME|all``: run benchmarks; the exit code is 1 where a contract was missed."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def names() -> list[str]:
    """Return the modules beside this one that have a ``run()``; told by their text, so that none is loaded in vain."""
    return sorted(
        path.stem for path in Path(__file__).parent.glob("[!_]*.py") if "\ndef run(" in path.read_text(encoding="utf-8")
    )


def main(arguments: list[str]) -> int:
    known = names()
    wanted = known if arguments == ["all"] else arguments
    if not wanted or not set(wanted) <= set(known):
        print(f"usage: python -m benchmarks NAME|all   NAME: {', '.join(known)}", file=sys.stderr)
        return 2
    outcomes = []
    for name in wanted:
        module = import_module(f"benchmarks.{name}")
        print(f"{name}: {(module.__doc__ or '').splitlines()[0]}")
        outcomes.append(module.run())
    return 1 if False in outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
