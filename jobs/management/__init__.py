"""The command line of background work."""
