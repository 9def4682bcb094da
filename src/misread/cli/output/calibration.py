"""What `misread calibration` prints."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from misread.cli.output.common import (
    new_table,
    number,
    print_json,
    print_table,
    provenance_json,
    rate_json,
)

if TYPE_CHECKING:
    from misread.analysis.calibration import Calibration
    from misread.analysis.intervals import Estimate
    from misread.workflows.calibration import CalibrationResult


def show_calibration(result: "CalibrationResult", as_json: bool) -> None:
    """Print the reliability curve, the calibration error, and what a temperature does."""
    before, scaled = result.calibration, result.scaled
    if as_json:
        print_json(_json(result))
        return
    print(f"{before.provenance.name}: {before.misread.total:,} images")
    _print_curve(scaled.calibration if scaled else before, "after scaling" if scaled else "")
    columns = {"as predicted": before} | ({"after scaling": scaled.calibration} if scaled else {})
    table = new_table("", *columns)
    rows: dict[str, Callable[[Calibration], str]] = {
        "errors": lambda each: str(each.misread),
        "errors the model expects": lambda each: f"{100 * each.doubt:.2f}%",
        "ECE": lambda each: _percent(each.ece),
        "ECE of a calibrated model": lambda each: f"{100 * each.ece_if_calibrated:.2f}%",
        "ECE, debiased": lambda each: f"{100 * each.ece_debiased:.2f}%",
        "p-value, were it calibrated": _p_value,
        "loss": lambda each: _nats(each.loss),
    }
    for name, tell in rows.items():
        table.add_row(name, *(tell(each) for each in columns.values()))
    print_table(table)
    if scaled:
        fitted = scaled.temperature
        print(
            f"temperature {fitted.value:.3f} ({fitted.low:.3f} to {fitted.high:.3f}), fitted on "
            f"{fitted.provenance.name}, {fitted.images:,} images; the loss falls by "
            f"{_nats(scaled.gain)}"
        )
    else:
        print(result.note)
    print(
        "Intervals (95%) are for new images of the same kind, drawn independently of each other. "
        "ECE is as these bins see it."
    )
    print(result.picture)


def _print_curve(calibration: "Calibration", when: str) -> None:
    table = new_table("probability", "images", "misread", "model expects", "share misread")
    for row in calibration.bins:
        table.add_row(
            _sure(row.confidence),
            f"{row.misread.total:,}",
            f"{row.misread.count:,}",
            f"{row.doubt * row.misread.total:.1f}",
            str(row.misread),
        )
    if when:
        print(f"{when}:")
    print_table(table)


def _sure(probability: float) -> str:
    return f"{100 * probability:.2f}%" if probability < 0.999 else f"{100 * probability:.4f}%"


def _percent(estimate: "Estimate") -> str:
    return f"{100 * estimate.value:.2f}% ({100 * estimate.low:.2f} to {100 * estimate.high:.2f})"


def _nats(estimate: "Estimate") -> str:
    return f"{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})"


def _p_value(calibration: "Calibration") -> str:
    return f"{calibration.p_value:.3f}" if calibration.p_value >= 0.001 else "<0.001"


def _json(result: "CalibrationResult") -> dict[str, Any]:
    scaled = result.scaled
    return provenance_json(result.calibration.provenance) | {
        "calibration": _calibration_json(result.calibration),
        "scaled": None
        if scaled is None
        else {
            "temperature": scaled.temperature.value,
            "low": scaled.temperature.low,
            "high": scaled.temperature.high,
            "fitted_on": scaled.temperature.provenance.name,
            "images": scaled.temperature.images,
            "zeros": scaled.temperature.zeros,
            "gain": asdict(scaled.gain),
            "calibration": _calibration_json(scaled.calibration),
        },
        "note": result.note,
        "picture": str(result.picture),
    }


def _calibration_json(calibration: "Calibration") -> dict[str, Any]:
    return {
        "misread": rate_json(calibration.misread),
        "expected": number(calibration.doubt),
        "ece": asdict(calibration.ece),
        "ece_if_calibrated": calibration.ece_if_calibrated,
        "ece_debiased": calibration.ece_debiased,
        "p_value": calibration.p_value,
        "loss": asdict(calibration.loss),
        "bins": [
            {
                "low": row.low,
                "high": row.high,
                "confidence": row.confidence,
                "misread": rate_json(row.misread),
            }
            for row in calibration.bins
        ],
    }
