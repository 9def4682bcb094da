"""The reader study: how often people read images otherwise than labelled, measured."""
