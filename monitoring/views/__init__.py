"""Pages of the monitor and the report."""
