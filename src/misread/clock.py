"""The time of day, as files have it."""

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
