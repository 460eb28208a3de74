"""``python -m lucheng`` is the command ``lucheng``."""

from lucheng.cli import main

main()
