"""`python -m misread` is the command `misread`."""

from misread.cli import main

main()
