"""Twelve months of cases: when they come, what they are about, and how each goes its way through the life cycle."""
