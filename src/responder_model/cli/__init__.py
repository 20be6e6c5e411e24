"""Command line: a command parses, calls one function of the package and prints.

Nothing heavy is imported here at module level: ``--help`` answers at once.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line (the ``responder-model`` script)."""
    from responder_model.cli.app import app

    app()
