"""The command line of the event log."""
