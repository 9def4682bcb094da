"""Models side by side on the same images: who misreads less, and on which images."""
