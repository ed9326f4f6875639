"""Background work as rows, and the one clock."""
