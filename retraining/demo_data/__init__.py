"""Real data that every install carries: Django's message catalogs and scikit-learn's digits."""
