"""Evidence in words."""

from misread.analysis.evidence import Evidence, TrainingRecord
from misread.analysis.neighbourhood import Neighbourhood
from misread.analysis.reading.evidence import ReaderEvidence


def tell_evidence(evidence: Evidence, row: int) -> str:
    """What speaks for and against the given label of one image, in a sentence or two.

    Args:
        evidence: On the labels of N images.
        row: Place in the panel.

    Returns:
        As "5 of 5 models that never saw it read 4, the least sure at 0.97; 19 of its 20 nearest
        training images are labelled 4, 1 is labelled 9".
    """
    members = len(evidence.members)
    parts = [_tell_model(evidence, row) if members == 1 else _tell_models(evidence, row)]
    if evidence.readers is not None and evidence.readers.answers[row]:
        parts.append(_tell_readers(evidence, evidence.readers, row))
    if evidence.neighbourhood is not None:
        parts.append(_tell_neighbours(evidence, evidence.neighbourhood, row))
    if evidence.training is not None:
        parts.append(_tell_training(evidence.training, row))
    return "; ".join(parts)


def _tell_model(evidence: Evidence, row: int) -> str:
    panel, given = evidence.panel, int(evidence.panel.given[row])
    read_as, sure = int(panel.majority[row]), probability(panel.p_majority[row])
    told = f"the model, which never saw it, reads {evidence.classes[read_as]}"
    if read_as == given:
        return f"{told} as given, with probability {sure}"
    as_given = probability(panel.p_given[row])
    return f"{told} with probability {sure} (the given {evidence.classes[given]}: {as_given})"


def _tell_models(evidence: Evidence, row: int) -> str:
    panel, given, members = evidence.panel, int(evidence.panel.given[row]), len(evidence.members)
    votes, read_as = int(panel.votes[row]), int(panel.majority[row])
    told = (
        f"{votes} of {members} models that never saw it {_verb(votes, 'read')} "
        f"{evidence.classes[read_as]}"
    )
    if read_as == given:
        told += " as given"
    least = probability(panel.least_confidence[row])
    told += f", the least sure at {least}" if votes > 1 else f", at {least}"
    as_given = 0 if read_as == given else int(panel.votes_given[row])
    if as_given:
        told += f", {as_given} {_verb(as_given, 'read')} {evidence.classes[given]} as given"
    elsewhere = members - votes - as_given
    if elsewhere:
        told += f", {elsewhere} {_verb(elsewhere, 'read')} something else"
    return told


def _tell_readers(evidence: Evidence, readers: ReaderEvidence, row: int) -> str:
    answers, as_given = int(readers.answers[row]), int(readers.votes_given[row])
    votes, given = int(readers.votes[row]), evidence.classes[int(evidence.panel.given[row])]
    other = evidence.classes[int(readers.called[row])]
    if answers == 1:
        told = "the one reader who saw it blind calls it "
        return told + (f"{given} as given" if as_given else other)
    calls = [(votes, other), (as_given, f"{given} as given")]
    calls = [call for call in calls if call[0]]
    calls.sort(key=lambda call: -call[0])
    told = f"{calls[0][0]} of {answers} readers who saw it blind "
    told += ", ".join(
        f"{'' if n == 0 else f'{count} '}{_verb(count, 'call')} it {name}"
        for n, (count, name) in enumerate(calls)
    )
    elsewhere = answers - votes - as_given
    return (
        f"{told}, {elsewhere} {_verb(elsewhere, 'call')} it something else" if elsewhere else told
    )


def _tell_neighbours(evidence: Evidence, around: Neighbourhood, row: int) -> str:
    given, read_as = int(evidence.panel.given[row]), int(evidence.panel.majority[row])
    # What the panel reads comes first, then the given label, then whatever else is most frequent.
    counts = {read_as: around.number(around.read_as[row])}
    counts[given] = around.number(around.given[row])
    counts.setdefault(int(around.rival[row]), around.number(around.of_rival[row]))
    (first, count), *others = counts.items()
    told = f"{tell_count(around, count)} labelled {evidence.classes[first]}"
    for label, count in others:
        if count:
            told += f", {count} {_verb(count, 'are')} labelled {evidence.classes[label]}"
        elif label == given:
            told += f", none {evidence.classes[label]}"
    return told


def tell_count(around: Neighbourhood, count: int) -> str:
    """How many of the nearest training images: "19 of its 20 nearest training images are"."""
    whole = f"of its {around.count} nearest training images"
    if around.networks > 1:
        whole += f", found by {around.networks} networks,"
    return f"{count or 'none'} {whole} {_verb(count or 1, 'are')}"


def _tell_training(training: TrainingRecord, row: int) -> str:
    networks, learning = training.networks, training.learning
    least, most = int(learning.least[row]), int(learning.most[row])
    told = f"in training {_tell_learned(networks, least, most, float(learning.epoch[row]))}"
    forgotten = int(learning.forgotten[row])
    if forgotten and networks == 1:
        told += f", then forgotten {_times(forgotten)}"
    elif forgotten:
        whose = "one of them " if forgotten == 1 else "together they "
        told += f", then {whose if most > 1 else ''}forgot it {_times(forgotten)}"
    return f"{told}, {_tell_margin(float(training.margin[row]))}"


def _tell_learned(networks: int, least: int, most: int, epoch: float) -> str:
    """How many networks read an image as given, and in which epoch first."""
    if networks == 1:
        first = f"first read as given in epoch {epoch:.0f}"
        return f"it was {first if most else 'never read as given'}"
    if not most:
        return f"none of {networks} networks ever read it as given"
    mean = f"{epoch:.3g} on average" if least > 1 else f"{epoch:.0f}"
    if least == networks:
        return f"all {networks} networks read it as given, first in epoch {mean}"
    if least == most:
        return f"{least} of {networks} networks read it as given, first in epoch {mean}"
    between = "or" if most == least + 1 else "to"
    number = f"at least {least}" if most == networks else f"{least} {between} {most}"
    return f"{number} of {networks} networks read it as given"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _tell_margin(margin: float) -> str:
    told = "its margin in training (score of the given label minus the best other score) is "
    distance = f"{abs(margin):.1f}"
    if distance == "0.0":
        return told + "that of the median image"
    return f"{told}{distance} sd {'below' if margin < 0 else 'above'} the median image's"


def _verb(count: int, plural: str) -> str:
    """Read or are, as the number wants it."""
    if count != 1:
        return plural
    return "is" if plural == "are" else f"{plural}s"


def models(count: int) -> str:
    """A number of models: "1 model", "5 models"."""
    return f"{count} model" if count == 1 else f"{count} models"


def probability(value: float) -> str:
    """A probability with two digits, never rounded to certainty."""
    text = f"{value:.2f}"
    if text == "1.00" and value < 1:
        return ">0.99"
    return "<0.01" if text == "0.00" and value > 0 else text


def below(value: float, limit: float, digits: int) -> str:
    """A number and the limit it misses: "0.749, below 0.75". Rounded down where it must be."""
    text = f"{value:.{digits}f}"
    if float(text) >= limit:
        scale = 10**digits
        text = f"{int(float(value) * scale) / scale:.{digits}f}"
    return f"{text}, below {limit:g}"
