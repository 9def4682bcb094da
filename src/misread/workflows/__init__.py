"""The public verbs: each puts stages together, and each is what one command does."""
