"""The ground floor: places, units, cases, clocks, figures. It knows nothing of any project."""
