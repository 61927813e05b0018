"""`python -m backtestkit`: the command line."""

from backtestkit.apps.cli.main import main

main()
