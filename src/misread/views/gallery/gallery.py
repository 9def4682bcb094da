"""The gallery of a study: what its page asks for. It knows nothing of HTTP."""

import dataclasses
from dataclasses import dataclass

from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.store import Study
from misread.types import IndexArray
from misread.views.gallery.answers import (
    ChangesAnswer,
    GroupAnswer,
    ItemsAnswer,
    ScoresState,
    ViewAnswer,
)
from misread.views.gallery.columns import ModelColumns, ScoreColumns
from misread.views.gallery.decisions import Decisions
from misread.views.gallery.holdings import Holdings, Stamp
from misread.views.gallery.memo import Memo
from misread.views.gallery.query import Query, write
from misread.views.gallery.reading import ReadingHoldings, ReadingSource
from misread.views.gallery.scoring import AuditSplit, Scoring
from misread.views.gallery.sorting import runs
from misread.views.gallery.view import Columns, View, choose, sort

MOST_ITEMS = 100_000
_ORDER_BYTES = 96 << 20
_VIEW_BYTES = 64 << 20


@dataclass(frozen=True)
class Pinned:
    """A query with everything named that it left open, and why it may show less than it asks for.

    Attributes:
        query: Names a view that stays the same.
        pending: It needs scores that aren't known yet, and is as if they never were.
        note: Why a filter finds nothing or a sort sorts nothing, "" if neither.
        scores: Whether the split's scores are known.
    """

    query: Query
    pending: bool
    note: str
    scores: ScoresState


class Gallery:
    """A study's images, filtered, sorted and grouped by queries.

    Several threads may ask at once. Memory is bounded: what wasn't asked for lately is dropped and
    computed again.

    Args:
        study: The study.
        dataset: Its dataset.
        audit: Puts together what is known of the given labels of a split.
        readings: Where readings come from; None shows none.
    """

    def __init__(
        self,
        study: Study,
        dataset: Dataset,
        audit: AuditSplit,
        readings: ReadingSource | None = None,
    ) -> None:
        self.study, self.dataset = study, dataset
        self.holdings = Holdings(study, dataset)
        self.reading = ReadingHoldings(study, readings)
        self.scoring = Scoring(self.holdings, audit, lambda: self.reading.settled)
        self.decisions = Decisions(self.holdings)
        self._orders = Memo[IndexArray](_ORDER_BYTES, lambda order: order.nbytes)
        self._views = Memo[View](_VIEW_BYTES, lambda view: view.nbytes)

    @property
    def stamp(self) -> tuple[Stamp, Stamp]:
        """By which it is told whether predictions or metadata are others than before."""
        return self.holdings.stamp, self.holdings.metadata_stamp

    # Views

    def pin(self, query: Query) -> Pinned:
        """Name what a query leaves open.

        Raises:
            ParameterError: It names a split, model or class that there isn't.
        """
        split = query.split or self.holdings.default_split
        self.holdings.split(split)
        self._check_classes(query)
        model = query.model
        if model is None:
            found = self.holdings.runs(split)
            model = found[0].run_name if found else None
        else:
            self.holdings.run(split, model)
        as_of = None if query.decided is None else query.as_of
        if query.decided is not None and as_of is None:
            as_of = self.decisions.revision()
        # The state comes first: it may become ready in between, but never the other way round.
        if query.needs_scores and query.scores:
            self.scoring.columns(split)
        state = self.scoring.state(split)
        known = query.scores and state.state == "ready"
        pinned = dataclasses.replace(
            query,
            split=split,
            model=model,
            order=None if query.order == query.usual_order else query.order,
            as_of=as_of,
            scores=known or not query.needs_scores,
        )
        pending = query.needs_scores and query.scores and state.state == "pending"
        return Pinned(pinned, pending, self._note(pinned, state), state)

    def find(self, query: Query) -> View:
        """The view that a query names.

        Raises:
            ParameterError: It names something that there isn't.
        """
        return self._find(self.pin(query).query)

    def view(self, query: Query) -> ViewAnswer:
        """What there is to show.

        Raises:
            ParameterError: The query names something that there isn't.
        """
        pinned = self.pin(query)
        view = self._find(pinned.query)
        return ViewAnswer(
            query=write(pinned.query),
            total=len(view),
            of=len(self.holdings.split(view.split)),
            revision=self.decisions.revision(),
            model=pinned.query.model,
            pending=pinned.pending,
            note=pinned.note,
            scores=pinned.scores,
            groups=[
                GroupAnswer(
                    key=None if key < 0 else key,
                    label="" if key < 0 else self.dataset.classes[key],
                    start=start,
                    count=count,
                )
                for key, start, count in view.groups
            ],
        )

    def items(self, query: Query, start: int, count: int) -> ItemsAnswer:
        """Positions in the split of some images of a view, at most `MOST_ITEMS`."""
        places = self.find(query).places[start : start + min(count, MOST_ITEMS)]
        return ItemsAnswer(start, places.tolist())

    def changes(self, since: int) -> ChangesAnswer:
        """What other tabs and processes have done since a revision."""
        revision, changes = self.decisions.changes(since)
        states = {name: self.scoring.evidence_state(name) for name in self.dataset.splits}
        return ChangesAnswer(revision, changes, states)

    def _check_classes(self, query: Query) -> None:
        count = len(self.dataset.classes)
        for key in ("given", "predicted"):
            value = getattr(query, key)
            if value is not None and value >= count:
                raise ParameterError(
                    f"{key}: expected the number of a class, 0 to {count - 1}. Got {value} instead."
                )

    def _note(self, query: Query, state: ScoresState) -> str:
        if query.needs_scores and state.state == "none":
            return state.reason
        if query.needs_model and query.model is None:
            return (
                f"no predictions of {query.split}; `misread run` makes some, `misread import "
                "predictions` brings some"
            )
        return ""

    def _find(self, query: Query) -> View:
        split = query.split or ""
        scores = self.scoring.known(split) if query.needs_scores and query.scores else None
        meta = self.holdings.metadata_stamp if query.meta else ()
        key = (query, self.holdings.predictions_stamp(split), meta, scores is None)
        return self._views.get(key, lambda: self._compute(query, scores))

    def _compute(self, query: Query, scores: ScoreColumns | None) -> View:
        split = query.split or ""
        columns = Columns(
            given=self.holdings.split(split).labels,
            model=self.model_columns(query) if query.needs_model else None,
            scores=scores,
            decided=None if query.decided is None else self.decisions.columns(split, query.as_of),
            metadata=self.holdings.metadata(split) if query.meta else {},
        )
        mask = choose(query, columns)
        order = self._order(query, columns)
        places = order if mask is None else order[mask[order]]
        groups = tuple(runs(columns.given[places])) if query.group == "given" else ()
        if query.group == "none" and len(places):
            groups = ((-1, 0, len(places)),)
        return View(query, places, groups)

    def _order(self, query: Query, columns: Columns) -> IndexArray:
        """The order of all images of the split, whatever the query leaves out of it."""
        only = Query(
            split=query.split,
            model=query.model if query.sort == "confidence" else None,
            group=query.group,
            sort=query.sort,
            order=query.order,
            seed=query.seed if query.sort == "random" else 0,
            scores=query.scores,
        )
        stamp = self.holdings.predictions_stamp(query.split or "")
        key = (only, stamp, columns.scores is None)
        return self._orders.get(key, lambda: sort(query, columns))

    def model_columns(self, query: Query) -> ModelColumns | None:
        """What the model of a pinned query predicts, None where there is no model."""
        if query.model is None or query.split is None:
            return None
        return self.holdings.model_columns(self.holdings.run(query.split, query.model))
