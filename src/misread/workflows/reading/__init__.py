"""The reader study: plan it, read, and what the readings say."""
