"""Opening the gallery; what the running command does is in `tests/web/test_serving.py`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from misread.datasets import Dataset, load
from misread.errors import ServerError, StudyError
from misread.store import Study
from misread.tables import Predictions
from misread.web.serving import listen, network_address
from misread.workflows.open import open_gallery

_FIRST_PICTURE = """
import sys
from pathlib import Path
from misread.store import Study
from misread.views.gallery.boot import boot
from misread.views.gallery.query import Query
from misread.views.gallery.tiles import tiles
from misread.web.app import make_gallery_app
from misread.web.security import make_door
from misread.workflows.open import make_exporter, make_gallery

study = Study.open(Path(sys.argv[1]))
gallery = make_gallery(study, study.load_dataset())
make_gallery_app(gallery, make_door("127.0.0.1", 7470), make_exporter(gallery))
boot(gallery, "token")
assert gallery.view(Query()).total == 90
assert len(tiles(gallery, Query(), 0, 90).index) == 90
heavy = {"torch", "matplotlib", "scipy", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture
def study(
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
    make_predictions: Callable[..., Predictions],
) -> Study:
    dataset = load(write_npz(tmp_path / "bars.npz", make_dataset()))
    place = Study.create(tmp_path / "bars-study", dataset)
    place.save_predictions(make_predictions(dataset.test))
    return place


def test_the_first_picture_loads_nothing_heavy(study: Study) -> None:
    """Each of them would take longer than all the rest."""
    subprocess.run([sys.executable, "-c", _FIRST_PICTURE, str(study.path)], check=True)


def test_what_cannot_be_opened_is_said_before_anything_listens(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="expected a study"):
        open_gallery(tmp_path, browser=False)


def test_a_port_in_use_is_refused(study: Study) -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ServerError, match="is in use"):
        open_gallery(study.path, port=taken.getsockname()[1], browser=False)


def test_a_dataset_that_has_changed_is_refused(
    study: Study,
    tmp_path: Path,
    make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path],
) -> None:
    write_npz(tmp_path / "bars.npz", make_dataset(seed=5))
    with pytest.raises(StudyError, match="other images or labels"):
        open_gallery(study.path, port=0, browser=False)


def test_open_to_the_network_it_names_this_machine_there(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("misread.workflows.open.run_server", lambda app, place, started: started())
    with listen("0.0.0.0", 0) as probe:
        machine = network_address("0.0.0.0", probe).rpartition(":")[0]
    urls: list[str] = []
    for host in ("0.0.0.0", "127.0.0.1"):
        open_gallery(
            study.path, host=host, port=0, browser=False, on_start=lambda url, _: urls.append(url)
        )
    assert urls[0].startswith(f"{machine}:") and "/?token=" in urls[0]
    assert urls[1].startswith("http://127.0.0.1:") and urls[1].endswith("/")
