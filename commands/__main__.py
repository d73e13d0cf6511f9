"""`python -m loanpulse.commands` is `loanpulse`."""

from loanpulse.commands.main import main

main()
