"""Pages of keys, members and files."""
