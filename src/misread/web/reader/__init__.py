"""The reader's server: a blind page for each reader, and who has read how much for the owner."""
