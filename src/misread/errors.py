"""Everything misread raises on purpose.

```
MisreadError
├── InputError            what the user gave can't be used; the command line exits with 2
│   ├── ParameterError    a parameter is out of range or unknown
│   ├── DatasetError      images or labels are missing, damaged or don't fit together
│   ├── PredictionsError  a predictions table is damaged or belongs to something else
│   ├── MetadataError     a metadata table is damaged or doesn't fit the study's images
│   ├── VerdictsError     a table of verdicts is damaged or doesn't fit the study's images
│   ├── ReadingsError     readings or their plan are damaged or don't fit the study
│   ├── StudyError        a study folder is missing, damaged or already holds something else
│   ├── ServerError       a web page can't be served at this address
│   │   └── PortInUseError another program listens at this port
│   └── MissingExtraError an optional dependency isn't installed; says the pip command
├── TrainingStoppedError  training was interrupted; says how to go on
└── TrainingDivergedError the loss of a training is no longer a finite number
```

Every message is one line that names the parameter or file, what was expected, what was found,
and the way out.
"""


class MisreadError(Exception):
    """The root: catch this to catch whatever misread raises on purpose."""


class InputError(MisreadError):
    """What the user gave can't be used."""


class ParameterError(InputError):
    """A parameter is out of range or unknown."""


class DatasetError(InputError):
    """Images or labels are missing, damaged or don't fit together."""


class PredictionsError(InputError):
    """A predictions table is damaged or belongs to another dataset."""


class MetadataError(InputError):
    """A metadata table is damaged or doesn't fit the study's images."""


class VerdictsError(InputError):
    """A table of verdicts is damaged or doesn't fit the study's images."""


class ReadingsError(InputError):
    """Readings or their plan are damaged or don't fit the study."""


class StudyError(InputError):
    """A study folder is missing, damaged or already holds something else."""


class ServerError(InputError):
    """A web page can't be served at this address."""


class PortInUseError(ServerError):
    """Another program listens at this port."""


class MissingExtraError(InputError):
    """An optional dependency isn't installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional dependency: pip install 'misread[{extra}]', or in a clone "
            f"of the repository pip install '.[{extra}]'"
        )
        self.extra = extra


class TrainingStoppedError(MisreadError):
    """Training was interrupted before its last epoch."""


class TrainingDivergedError(MisreadError):
    """The loss of a training is no longer a finite number."""
