"""The commands, by what they are for. Each imports what is heavy when it is called."""
