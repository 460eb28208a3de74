"""Benchmarks beside peers: ``python -m bench`` runs all of them, ``python -m bench intake`` one."""
