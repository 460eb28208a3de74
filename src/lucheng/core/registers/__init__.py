"""Registers: what a city keeps lists of (centres, cameras, studios ...), each declared by its model and nothing else.

A model that inherits :class:`~lucheng.core.registers.models.Entry` is a register. From its fields follow the list, the
form, the sheet, the API and the history; see :mod:`lucheng.core.registers.register`.
"""
