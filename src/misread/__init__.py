"""misread: which images does a classifier misread, and is the model wrong or the label?

```python
import misread

digits = misread.load("mnist")
run = misread.train(digits, model="convnet", seed=0)
mistakes = misread.mistakes(digits.test, run.test)
mistakes.plot(rows=3, columns=4)
```

Importing misread loads neither PyTorch nor matplotlib nor pyarrow: each public name is imported
when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from misread.analysis.calibration import Calibration
    from misread.analysis.calibration import measure_calibration as calibration
    from misread.analysis.duplicates import Duplicates, find_duplicates
    from misread.analysis.evaluation import Evaluation, evaluate
    from misread.analysis.labels import LabelIssues
    from misread.analysis.panel import PanelScores, score_panel
    from misread.analysis.slices import SliceErrors, slice_errors
    from misread.analysis.temperature import Temperature, fit_temperature
    from misread.analysis.verdicts import Thresholds
    from misread.datasets import Dataset, Split, load
    from misread.errors import MisreadError
    from misread.models import Card, Recipe, Run
    from misread.store import Study, VerdictLog
    from misread.tables import Dynamics, Neighbours, Origin, Predictions, Provenance
    from misread.tables.metadata import Metadata
    from misread.tables.parquet import PredictionsFile
    from misread.tables.reading_plan import ReadingPlan
    from misread.tables.readings import Readings
    from misread.tables.reconstructions import Reconstructions
    from misread.tables.verdicts import Verdict, Verdicts
    from misread.views.audit import Audit
    from misread.views.mistakes import Mistakes
    from misread.views.mistakes import show_mistakes as mistakes
    from misread.workflows.audit import audit
    from misread.workflows.compare import compare
    from misread.workflows.crossfit import crossfit
    from misread.workflows.demo import demo_predictions, make_demo, reference_panel
    from misread.workflows.exporting import export
    from misread.workflows.importing import import_predictions
    from misread.workflows.labels import label_issues
    from misread.workflows.labels_import import import_labels
    from misread.workflows.metadata import import_metadata
    from misread.workflows.mistakes import draw_mistakes
    from misread.workflows.open import open_gallery
    from misread.workflows.people import describe_people, people
    from misread.workflows.reading_plan import make_plan
    from misread.workflows.readings import (
        export_readings,
        import_counts,
        import_readings,
        open_readings,
        simulate_readers,
    )
    from misread.workflows.reconstruct import reconstruct
    from misread.workflows.report import write_report
    from misread.workflows.run import run
    from misread.workflows.slices import slices
    from misread.workflows.training import train

# Public name -> (module, name there).
_PUBLIC = {
    "Audit": ("misread.views.audit", "Audit"),
    "Calibration": ("misread.analysis.calibration", "Calibration"),
    "Card": ("misread.models", "Card"),
    "Dataset": ("misread.datasets", "Dataset"),
    "Duplicates": ("misread.analysis.duplicates", "Duplicates"),
    "Dynamics": ("misread.tables", "Dynamics"),
    "Evaluation": ("misread.analysis.evaluation", "Evaluation"),
    "LabelIssues": ("misread.analysis.labels", "LabelIssues"),
    "Metadata": ("misread.tables.metadata", "Metadata"),
    "MisreadError": ("misread.errors", "MisreadError"),
    "Mistakes": ("misread.views.mistakes", "Mistakes"),
    "Neighbours": ("misread.tables", "Neighbours"),
    "Origin": ("misread.tables", "Origin"),
    "PanelScores": ("misread.analysis.panel", "PanelScores"),
    "Predictions": ("misread.tables", "Predictions"),
    "PredictionsFile": ("misread.tables.parquet", "PredictionsFile"),
    "Provenance": ("misread.tables", "Provenance"),
    "ReadingPlan": ("misread.tables.reading_plan", "ReadingPlan"),
    "Readings": ("misread.tables.readings", "Readings"),
    "Recipe": ("misread.models", "Recipe"),
    "Reconstructions": ("misread.tables.reconstructions", "Reconstructions"),
    "Run": ("misread.models", "Run"),
    "SliceErrors": ("misread.analysis.slices", "SliceErrors"),
    "Split": ("misread.datasets", "Split"),
    "Study": ("misread.store", "Study"),
    "Temperature": ("misread.analysis.temperature", "Temperature"),
    "Thresholds": ("misread.analysis.verdicts", "Thresholds"),
    "Verdict": ("misread.tables.verdicts", "Verdict"),
    "VerdictLog": ("misread.store", "VerdictLog"),
    "Verdicts": ("misread.tables.verdicts", "Verdicts"),
    "audit": ("misread.workflows.audit", "audit"),
    "calibration": ("misread.analysis.calibration", "measure_calibration"),
    "compare": ("misread.workflows.compare", "compare"),
    "crossfit": ("misread.workflows.crossfit", "crossfit"),
    "demo_predictions": ("misread.workflows.demo", "demo_predictions"),
    "draw_mistakes": ("misread.workflows.mistakes", "draw_mistakes"),
    "evaluate": ("misread.analysis.evaluation", "evaluate"),
    "export": ("misread.workflows.exporting", "export"),
    "export_readings": ("misread.workflows.readings", "export_readings"),
    "find_duplicates": ("misread.analysis.duplicates", "find_duplicates"),
    "fit_temperature": ("misread.analysis.temperature", "fit_temperature"),
    "import_counts": ("misread.workflows.readings", "import_counts"),
    "import_labels": ("misread.workflows.labels_import", "import_labels"),
    "import_metadata": ("misread.workflows.metadata", "import_metadata"),
    "import_predictions": ("misread.workflows.importing", "import_predictions"),
    "import_readings": ("misread.workflows.readings", "import_readings"),
    "label_issues": ("misread.workflows.labels", "label_issues"),
    "load": ("misread.datasets", "load"),
    "make_demo": ("misread.workflows.demo", "make_demo"),
    "make_plan": ("misread.workflows.reading_plan", "make_plan"),
    "mistakes": ("misread.views.mistakes", "show_mistakes"),
    "open_gallery": ("misread.workflows.open", "open_gallery"),
    "open_readings": ("misread.workflows.readings", "open_readings"),
    "describe_people": ("misread.workflows.people", "describe_people"),
    "people": ("misread.workflows.people", "people"),
    "reconstruct": ("misread.workflows.reconstruct", "reconstruct"),
    "reference_panel": ("misread.workflows.demo", "reference_panel"),
    "run": ("misread.workflows.run", "run"),
    "score_panel": ("misread.analysis.panel", "score_panel"),
    "simulate_readers": ("misread.workflows.readings", "simulate_readers"),
    "slice_errors": ("misread.analysis.slices", "slice_errors"),
    "slices": ("misread.workflows.slices", "slices"),
    "train": ("misread.workflows.training", "train"),
    "write_report": ("misread.workflows.report", "write_report"),
}

__all__ = [
    "Audit",
    "Calibration",
    "Card",
    "Dataset",
    "Duplicates",
    "Dynamics",
    "Evaluation",
    "LabelIssues",
    "Metadata",
    "MisreadError",
    "Mistakes",
    "Neighbours",
    "Origin",
    "PanelScores",
    "Predictions",
    "PredictionsFile",
    "Provenance",
    "ReadingPlan",
    "Readings",
    "Recipe",
    "Reconstructions",
    "Run",
    "SliceErrors",
    "Split",
    "Study",
    "Temperature",
    "Thresholds",
    "Verdict",
    "VerdictLog",
    "Verdicts",
    "audit",
    "calibration",
    "compare",
    "crossfit",
    "demo_predictions",
    "describe_people",
    "draw_mistakes",
    "evaluate",
    "export",
    "export_readings",
    "find_duplicates",
    "fit_temperature",
    "import_counts",
    "import_labels",
    "import_metadata",
    "import_predictions",
    "import_readings",
    "label_issues",
    "load",
    "make_demo",
    "make_plan",
    "mistakes",
    "open_gallery",
    "open_readings",
    "people",
    "reconstruct",
    "reference_panel",
    "run",
    "score_panel",
    "simulate_readers",
    "slice_errors",
    "slices",
    "train",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'misread' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
