"""The ten rooms of the article. Each is a folder found by name; none imports another."""
