"""What comes from outside and is taken apart here, each parser as a target: see :mod:`tests.fuzz.targets`."""
