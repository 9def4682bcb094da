"""Evidence in words."""

from misread.analysis.evidence import Evidence, TrainingRecord
from misread.analysis.neighbourhood import Neighbourhood


def tell_evidence(evidence: Evidence, row: int) -> str:
    """What speaks for and against the given label of one image, in a sentence or two.

    Args:
        evidence: On the labels of N images.
        row: Place in the panel.

    Returns:
        As "5 of 5 models that never saw it read 4, least 0.97; 19 of its 20 nearest training
        images are given 4, 1 is given 9".
    """
    parts = [_tell_models(evidence, row)]
    if evidence.neighbourhood is not None:
        parts.append(_tell_neighbours(evidence, evidence.neighbourhood, row))
    if evidence.training is not None:
        parts.append(_tell_training(evidence.training, row))
    return "; ".join(parts)


def _tell_models(evidence: Evidence, row: int) -> str:
    panel = evidence.panel
    members = len(evidence.members)
    votes, read_as = int(panel.votes[row]), int(panel.majority[row])
    name, least = evidence.classes[read_as], probability(panel.least_confidence[row])
    if members == 1:
        told = f"the model that never saw it reads {name}, {least}"
        if read_as != panel.given[row]:
            told += f" (as given: {probability(panel.p_given[row])})"
        return told
    told = f"{votes} of {members} models that never saw it read {name}, least {least}"
    as_given = int(panel.votes_given[row])
    if read_as != panel.given[row] and as_given:
        told += f", {as_given} read {evidence.classes[int(panel.given[row])]} as given"
    elsewhere = members - votes - (as_given if read_as != panel.given[row] else 0)
    return told + (f", {elsewhere} something else" if elsewhere else "")


def _tell_neighbours(evidence: Evidence, around: Neighbourhood, row: int) -> str:
    given, read_as = int(evidence.panel.given[row]), int(evidence.panel.majority[row])
    shares = {read_as: around.read_as[row], given: around.given[row]}
    shares.setdefault(int(around.rival[row]), around.of_rival[row])
    counts = {label: round(float(share) * around.count) for label, share in shares.items()}
    named = [(label, count) for label, count in counts.items() if count]
    whole = f"its {around.count} nearest training images"
    if around.networks > 1:
        whole += f" ({around.count // around.networks} by each of {around.networks} networks)"
    if not named:
        return f"none of {whole} is given {evidence.classes[given]}"
    (label, count), *others = named
    told = f"{count} of {whole} {_are(count)} given {evidence.classes[label]}"
    return told + "".join(
        f", {count} {_are(count)} given {evidence.classes[label]}" for label, count in others
    )


def _tell_training(training: TrainingRecord, row: int) -> str:
    first, forgotten = training.first_learned[row], training.forgotten[row]
    if first > training.epochs:
        told = "in training never read as given"
    else:
        told = f"in training first read as given in epoch {first:.2g}"
        if forgotten:
            told += f", forgotten {forgotten:.2g} times"
    return f"{told}, margin {training.margin[row]:+.1f} sd"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def models(count: int) -> str:
    """A number of models: "1 model", "5 models"."""
    return f"{count} model" if count == 1 else f"{count} models"


def probability(value: float) -> str:
    """A probability with two digits, never rounded to certainty."""
    text = f"{value:.2f}"
    if text == "1.00" and value < 1:
        return ">0.99"
    return "<0.01" if text == "0.00" and value > 0 else text


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{100 * share:.0f}%"
