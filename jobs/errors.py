"""How a run can end early."""


class FenceLost(Exception):
    """Another worker has the job now; what this one still holds must not be written."""


class JobCancelled(Exception):
    """A person asked for the work to stop."""


class JobFailed(Exception):
    """The work cannot succeed; trying again would not help. The text goes to the page."""
