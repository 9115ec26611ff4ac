"""The command line of Dala."""


def main() -> None:
    """Run the command line."""
