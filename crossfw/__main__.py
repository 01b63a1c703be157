"""`python -m crossfw` is `crossfw`."""

from crossfw.cli import main

main()
