"""Frozen tables that one stage hands to the next, checked once when built."""

from misread.tables.evidence import Dynamics, Neighbours
from misread.tables.predictions import Origin, Predictions, Provenance

__all__ = ["Dynamics", "Neighbours", "Origin", "Predictions", "Provenance"]
