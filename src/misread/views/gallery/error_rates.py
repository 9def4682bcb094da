"""The error of a model, as labelled and after verdicts."""

import math

import numpy as np

from misread.analysis.adjudication import adjudicate, adjudicated_error
from misread.analysis.intervals import Rate
from misread.tables.verdicts import CODES, Verdict
from misread.views.exports import test_warning
from misread.views.gallery.answers import ErrorAnswer, RateAnswer
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.query import Query


def error_rates(gallery: Gallery, query: Query) -> ErrorAnswer:
    """The error of a query's model on the whole of its split, whatever the query leaves out.

    Raises:
        ParameterError: The query names something that there isn't.
    """
    pinned = gallery.pin(query).query
    split, run = pinned.split or "", pinned.model
    verdicts = gallery.study.verdicts.state(split)
    labels = adjudicate(gallery.holdings.split(split).labels, verdicts)
    found = None
    if run is not None:
        outcomes = gallery.holdings.outcomes(gallery.holdings.run(split, run))
        found = adjudicated_error(outcomes, labels)
    return ErrorAnswer(
        split=split,
        model=run,
        as_labelled=None if found is None else _rate(found.as_labelled),
        after=None if found is None else _rate(found.after),
        lowest=None if found is None else _rate(found.lowest),
        highest=None if found is None else _rate(found.highest),
        decided=len(verdicts),
        mistakes=0 if found is None else found.mistakes,
        reviewed_mistakes=0 if found is None else found.reviewed_mistakes,
        reviewed_others=0 if found is None else found.reviewed_others,
        changed_labels=int(labels.changed.sum()),
        unreadable=int(np.count_nonzero(verdicts.verdict == CODES[Verdict.UNREADABLE])),
        caution="" if found is None else found.caution,
        warning=test_warning(split),
    )


def _rate(rate: Rate) -> RateAnswer:
    numbers = (None if math.isnan(x) else float(x) for x in (rate.value, rate.low, rate.high))
    return RateAnswer(rate.count, rate.total, *numbers)
