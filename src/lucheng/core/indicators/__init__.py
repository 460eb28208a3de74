"""Figures: an indicator is a query over records, named beside them, with its unit, its target and its history.

A room's ``indicators.py`` declares ``INDICATORS``; nothing else lists them. See
:class:`lucheng.core.indicators.indicator.Indicator`.
"""
