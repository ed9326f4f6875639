"""Pages of annotators and reviewers."""
