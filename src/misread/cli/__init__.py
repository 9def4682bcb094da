"""The command line: parses arguments, calls workflows, prints. It holds no logic."""

import io
import sys

from misread.errors import InputError, MisreadError, TrainingStoppedError


def main() -> None:
    """Run the command line; exits 0, 2 for bad input, 1 for a failure, 130 for Ctrl-C."""
    from misread.cli.app import app

    # A class may be called 猫 where the terminal knows only ASCII.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except MisreadError as error:
        print(f"misread: {error}", file=sys.stderr)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt:
        print("misread: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # `misread ... | head`: the reader has gone, and there is nobody to tell.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        print(f"misread: {error}", file=sys.stderr)
        sys.exit(1)


def _exit_code(error: MisreadError) -> int:
    if isinstance(error, TrainingStoppedError):
        return 130
    return 2 if isinstance(error, InputError) else 1
