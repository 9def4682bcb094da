import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn

from misread.errors import ParameterError
from misread.models.features import NEIGHBOURS, nearest, nearest_training_images, taking_features
from misread.models.quick import build
from misread.tables import Origin, Provenance

PROVENANCE = Provenance("quick", "short", 0, "test", Origin.HELD_OUT, ("a", "b"), "", "")


def features(count: int, size: int, seed: int) -> Tensor:
    """As a network's behind a ReLU: no negative ones, lengths that differ."""
    drawn = np.random.default_rng(seed).gamma(0.4, size=(count, size)) * (1 + seed)
    return torch.from_numpy(drawn.astype(np.float32))


@pytest.mark.parametrize("most", [25_000_000, 1, 700])
def test_the_nearest_are_those_of_scikit_learn(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("misread.models.features._MOST_SIMILARITIES", most)
    queries, references = features(90, 16, 0), features(300, 16, 1)
    found = nearest(queries, references, 20)
    assert (found.dtype, found.shape) == (np.dtype(np.int32), (90, 20))
    search = NearestNeighbors(n_neighbors=20, metric="cosine", algorithm="brute")
    _, expected = search.fit(references.double().numpy()).kneighbors(queries.double().numpy())
    np.testing.assert_array_equal(found, expected)


def test_equal_ones_are_as_near() -> None:
    """Which of several equal references comes first is open; how near each is, is not."""
    references = features(8, 4, 2).repeat(5, 1)
    queries = features(30, 4, 3)
    found = nearest(queries, references, 12)
    cosines = nn.functional.normalize(queries) @ nn.functional.normalize(references).T
    expected = cosines.sort(dim=1, descending=True).values[:, :12]
    places = torch.from_numpy(found).long()
    torch.testing.assert_close(cosines.gather(1, places), expected)
    assert all(len(set(row)) == 12 for row in found.tolist())


def test_only_the_direction_counts() -> None:
    queries, references = features(20, 8, 4), features(60, 8, 5)
    scale = torch.linspace(0.01, 100, 60)[:, None]
    np.testing.assert_array_equal(
        nearest(queries, references, 5), nearest(7 * queries, scale * references, 5)
    )


def test_few_references_are_all_found_and_no_queries_find_none() -> None:
    found = nearest(features(4, 8, 0), features(3, 8, 1), 20)
    assert sorted(found[0].tolist()) == [0, 1, 2]
    assert nearest(features(0, 8, 0), features(30, 8, 1), 20).shape == (0, 20)


def test_features_of_nothing_are_no_error() -> None:
    """A network may leave all features of an image zero: it has no direction."""
    found = nearest(torch.zeros(2, 8), features(30, 8, 1), 4)
    assert found.shape == (2, 4)


def test_a_table_of_the_nearest_training_images() -> None:
    table = nearest_training_images(features(9, 8, 0), features(50, 8, 1), PROVENANCE)
    assert table.index.tolist() == list(range(9))
    assert table.width == NEIGHBOURS
    assert table.provenance is PROVENANCE


def test_features_are_what_the_last_layer_makes_logits_of() -> None:
    torch.manual_seed(0)
    network = build((12, 12, 1), 3).eval()
    images = torch.rand(7, 1, 12, 12)
    with torch.no_grad(), taking_features(network) as taken:
        logits = torch.cat([network(images[:4]), network(images[4:])])
    assert [part.shape for part in taken] == [(4, 64), (3, 64)]
    with torch.no_grad():
        torch.testing.assert_close(network.classifier(torch.cat(taken)), logits)
        network(images)
    assert len(taken) == 2  # afterwards nothing is taken any more


def test_nothing_is_taken_after_an_error_either() -> None:
    network = build((12, 12, 1), 3).eval()
    with pytest.raises(RuntimeError, match="no"), taking_features(network) as taken:
        raise RuntimeError("no")
    network(torch.rand(1, 1, 12, 12))
    assert taken == []


def test_a_network_without_a_linear_layer_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    expected = pytest.raises(ParameterError, match=r"ends in a linear layer\. Got Sequential")
    with expected, taking_features(network):
        pass
