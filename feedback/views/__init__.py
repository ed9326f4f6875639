"""Pages and forms of agents."""
