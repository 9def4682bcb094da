"""What the gallery shows: images of a split as columns, filtered, sorted and grouped by a query."""
