from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import misread
from misread.errors import PredictionsError
from misread.tables.parquet import write_predictions


def test_a_path_gives_what_the_table_gives(
    make_predictions: Callable[..., misread.Predictions], tmp_path: Path
) -> None:
    table = make_predictions(given=np.arange(300) % 3)
    path = tmp_path / "p.parquet"
    write_predictions(path, table)
    one = misread.label_issues(table)
    assert one.flagged.any()
    for other in (misread.label_issues(path), misread.label_issues(str(path), threads=1)):
        np.testing.assert_array_equal(one.flagged, other.flagged)
        np.testing.assert_array_equal(one.suggested, other.suggested)
        np.testing.assert_array_equal(one.joint.matrix(), other.joint.matrix())
    with pytest.raises(PredictionsError, match=r"absent\.parquet: expected a Parquet file"):
        misread.label_issues(tmp_path / "absent.parquet")
