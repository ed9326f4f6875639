"""Who, what, roles, keys, task types, identity, versions and deployments."""
