"""Frozen tables that one stage hands to the next, checked once when built."""

from misread.tables.evidence import Dynamics, Neighbours
from misread.tables.predictions import Origin, Predictions, Provenance
from misread.tables.reconstructions import Reconstructions

__all__ = ["Dynamics", "Neighbours", "Origin", "Predictions", "Provenance", "Reconstructions"]
