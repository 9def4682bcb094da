"""Datasets: images, given labels and class names, built in or read from files."""

from misread.datasets.catalogue import BUILTIN, Builtin, load
from misread.datasets.dataset import Dataset, Images, Split

__all__ = ["BUILTIN", "Builtin", "Dataset", "Images", "Split", "load"]
