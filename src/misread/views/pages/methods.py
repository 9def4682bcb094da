"""How the figures on the pages were made, in words, and what they can't tell."""

from collections.abc import Sequence
from dataclasses import dataclass

from misread.analysis.verdicts import Thresholds
from misread.tables.reading_plan import ReadingPlan
from misread.views.pages.compare import ComparePage
from misread.views.pages.overview import Overview
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class Method:
    """One subject.

    Attributes:
        heading: What it is about.
        paragraphs: Plain text.
    """

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Methods:
    """How the figures were made.

    Attributes:
        methods: One for each subject that the study has something of.
    """

    methods: tuple[Method, ...]


def build_methods(
    tables: StudyTables, overview: Overview, compared: Sequence[ComparePage] = ()
) -> Methods:
    """The methods behind what the overview and its pages show.

    Args:
        tables: The study's tables.
        overview: What it shows.
        compared: What stands side by side.
    """
    made = [_MISTAKES, _INTERVALS, _origins({row.origin for row in overview.errors})]
    if any(result.reliability for result in overview.results):
        made.append(_CALIBRATION)
    if overview.curves:
        made.append(_TRAINING)
    if overview.slices:
        made.append(_SLICES)
    if any(page.comparisons for page in compared):
        made.append(_COMPARED)
    if any(result.after for result in overview.results):
        made.append(_VERDICTS)
    if tables.people is not None:
        made.append(_people(tables.people.people.plan))
    for audit in list(tables.audits.values())[:1]:
        made += [_SUSPICION, _verdicts(audit.thresholds)]
    return Methods((*(method for method in made if method.paragraphs), _LIMITS))


def _method(heading: str, text: str) -> Method:
    """A subject from a text whose paragraphs are parted by empty lines."""
    return Method(heading, tuple(" ".join(part.split()) for part in text.split("\n\n")))


_MISTAKES = _method(
    "Mistakes",
    """
    A mistake is an image whose predicted class, the most probable one, differs from its given
    label. The error rate is the share of mistakes as labelled: if the label is wrong and the
    model right, it still counts; if both are wrong in the same way, it doesn't.

    The most confident mistakes come first: those with the highest probability of the predicted
    class. Each shows the probability of the predicted and of the given class.

    The loss is the mean of -ln(probability of the given class), in nats. The last epoch of a
    training counts, never the best one.
    """,
)
_INTERVALS = _method(
    "Intervals",
    """
    Intervals of error rates are Wilson's, at 95%. They are about new images of the same kind,
    drawn one by one and independently, and about this one trained model. Where images belong
    together (digits of one writer, scans of one patient), the interval for images of new
    writers or patients is wider. Images of another kind are not covered at all.

    Of exactly these images there is nothing to estimate: the counts are what they are. Many
    classes give many chances for one to look bad; their intervals are not corrected for that.
    """,
)
_CALIBRATION = _method(
    "Calibration",
    """
    A model is calibrated if it is right as often as it says. Images are put into bins by the
    probability of their predicted class, with equally many expected mistakes in each; no bin
    looks at the labels. Both axes are logarithmic in 1 - p, so that 99% and 99.9% are as far
    apart as 90% and 99%. An open circle at the top edge is a bin without a mistake.

    The expected calibration error (ECE) is the mean over images of the difference, in their
    bin, between share right and mean probability. Chance alone keeps it above zero: beside it
    stands what it would be on average if the probabilities were right. Its 95% interval is
    about the error that these bins see on new images of the same kind. Wrong given labels count
    as mistakes here, too.
    """,
)
_TRAINING = _method(
    "Training curves",
    """
    Loss and accuracy are of the training images as they were drawn, shifted and with dropout
    on, while the weights were changing: they are worse than those of the finished network.
    """,
)
_SLICES = _method(
    "Slices",
    """
    Intervals of slices are exact (Clopper and Pearson's) at a level that lets all slices of a
    table hold together at 95% (Bonferroni). Where images belong together, the number of images
    is divided by a design effect from a bootstrap over what they belong to (Korn and Graubard's
    method). A slice is marked if the interval of its difference to all others excludes zero.
    """,
)
_COMPARED = _method(
    "Side by side",
    """
    All models are held against one, image by image. The difference of two error rates has Tango's
    score interval for pairs; McNemar's exact test asks whether the images that only one of the two
    misreads are split further from half than chance would have it. P-values are corrected for all
    comparisons of a split (Holm); intervals are not. Error consistency is Cohen's kappa of right
    and wrong, with a score interval.

    To choose a model by its error on the test split is a choice made on the test split: its error
    there is then too low a guess for new images. Figures of the literature are quoted, not measured
    here.
    """,
)
_VERDICTS = _method(
    "After verdicts",
    """
    A decided verdict changes what counts: where the label is said to be wrong and the right class
    was said, that class counts; where the label was upheld, it counts as it is; where no right
    class was said, the image counts as misread. Ambiguous and unreadable images count as labelled;
    the best and the worst case say how far they could move the rate. No image is left out.

    Correcting a test split after looking at a model's mistakes favours that model: among the images
    read as given, a wrong label hides a mistake. Reviewing only the mistakes can only lower the
    rate.
    """,
)
_SUSPICION = _method(
    "Panel and suspicion",
    """
    The panel is every held-out or cross-fitted prediction of the split: by models that never
    saw the image. In-sample predictions are left out, since a model repeats the labels that it
    was trained on.

    The suspicion weighs how much more the panel believes another class than the given label, with
    the label noise that models learn undone (Patrini and others 2017), and the area under the
    margin in training, where it is known. It is a logistic regression that was fitted on labels
    flipped on purpose, in MNIST and Fashion-MNIST, since of real wrong labels no truth is known. It
    ranks; it is not the probability that a label is wrong.
    """,
)
_LIMITS = _method(
    "What this can't tell",
    """
    Whether a label is wrong: models agree with each other, not with the truth. Which labels are
    wrong where all models agree with them. Whether people would do better: that takes people
    who read the images without seeing label or prediction.

    Do not delete misread or suspicious images of a test split and measure again. The remaining
    ones were chosen for agreeing with the model, and correcting only the labels of mistakes can
    only lower the error rate.
    """,
)


def _people(plan: ReadingPlan) -> Method:
    return _method(
        "People against models",
        f"""
        Readers saw neither label nor prediction. A plan that was frozen before the first answer
        says what they read: all {len(plan.hard):,} hard images, those that its models misread or
        the most difficult of these, and each reader his own random sample of the
        {plan.rest:,} others. An error rate counts each hard image once and lets each answer to the
        others stand for as many as were not read.

        Intervals, at {plan.confidence}, are about exactly these images and these readers. At the
        planned number of answers they are exact (hypergeometric tails); at any other stop they are
        anytime intervals (the prior-posterior ratio of Waudby-Smith and Ramdas, 2020), which hold
        wherever reading stopped. That of people in general is Student's over the readers, and
        approximate.
        """,
    )


_SEEN = {
    "held-out": "Held-out: the model never saw the split. It stays so only as long as no choice is "
    "made by it; a recipe that was chosen for its test error has seen the test split, too.",
    "cross-fitted": "Cross-fitted: the split was dealt out to folds, and each image was predicted "
    "by a network that was trained on the other folds and never saw it. What these networks "
    "predict of other splits is averaged.",
    "in-sample": "In-sample: the model was trained on these images. Its mistakes are what it could "
    "not even fit; its error rate says nothing about new images.",
}


def _origins(present: set[str]) -> Method:
    return Method(
        "What the models had seen",
        tuple(text for origin, text in _SEEN.items() if origin in present),
    )


def _verdicts(limits: Thresholds) -> Method:
    def per_cent(share: float) -> str:
        return f"{100 * share:g}%"

    return _method(
        "Suggested verdicts",
        f"""
        Label: at least {per_cent(limits.contradiction)} of the panel contradict the given label and
        {per_cent(limits.agreement)} agree on one class, with a mean probability of at least
        {limits.confidence:g}; at least {per_cent(limits.neighbours)} of the nearest training images
        are given that class and at most {per_cent(limits.neighbours_given)} the image's own label;
        the suspicion is at least {limits.suspicion:g}. Without neighbours, {limits.members} models
        or more are needed.

        Model: not that, and the label is upheld, by the panel as a whole and at least
        {per_cent(limits.upheld)} of its models, or by at least
        {per_cent(limits.upheld_neighbours)} of the nearest training images while the panel gives it
        a probability of at least {limits.upheld_probability:g}.

        People who read an image blind decide instead where at least {limits.readers} of them did:
        the model is wrong if at least {per_cent(limits.reader_agreement)} call it the given class,
        the label if as many call it another class that the panel reads, too.

        Ambiguous: neither.
        """,
    )
