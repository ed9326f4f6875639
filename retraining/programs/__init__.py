"""Programs that run as processes of their own: no Django, no database, no keys."""
