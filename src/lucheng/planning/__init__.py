"""The cellar: arrays and graphs in, arrays and graphs out. Nothing here knows of the city's records."""
