"""What people enter of a farm: checked and written down one way, for the console and for REST."""


class EntryRefused(ValueError):
    """What was said is well formed and still cannot be entered; the message says why."""
