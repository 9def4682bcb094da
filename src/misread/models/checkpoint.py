"""Weights and checkpoints as safetensors: tensors and a JSON text, never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from misread.errors import StudyError
from misread.files import replacing
from misread.models.dynamics import DynamicsRecorder


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-able mapping atomically.

    Raises:
        StudyError: The file can't be written.
    """
    # In the order of their memory: safetensors stores row-major tensors only.
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as temporary:
            save_file(plain, temporary, {"misread": json.dumps(metadata)})
    except (OSError, SafetensorError) as error:
        raise StudyError(f"{path}: can't write weights here: {error}") from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises:
        StudyError: The file is missing, damaged or none of misread's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(json.loads((file.metadata() or {})["misread"]))
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except FileNotFoundError:
        raise StudyError(f"{path}: expected weights saved by misread, found no file") from None
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise StudyError(f"{path}: expected weights saved by misread: {error}") from error


@dataclass
class TrainingState:
    """What changes while a network is trained, and so what a checkpoint holds."""

    network: nn.Module
    optimizer: Optimizer
    average: AveragedModel | None
    dynamics: DynamicsRecorder

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by name."""
        named = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            named |= {f"optimizer.{number}.{key}": value for key, value in moments.items()}
        if self.average is not None:
            named |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        named |= {f"dynamics.{key}": value for key, value in self.dynamics.tensors().items()}
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over the tensors of a checkpoint of the same settings."""
        self.network.load_state_dict(_below("network", tensors))
        if self.average is not None:
            self.average.load_state_dict(_below("average", tensors))
        self.dynamics.restore(_below("dynamics", tensors))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _below("optimizer", tensors).items():
            number, _, name = key.partition(".")
            moments.setdefault(int(number), {})[name] = value
        groups = self.optimizer.param_groups
        for place, parameter in enumerate(p for group in groups for p in group["params"]):
            _lay_out_like(parameter, moments.setdefault(place, {}))
        content = self.optimizer.state_dict() | {"state": moments}
        self.optimizer.load_state_dict(content)


def _lay_out_like(parameter: Tensor, moments: dict[str, Tensor]) -> None:
    """Give the moments of a parameter its layout in memory.

    A file holds tensors row-major, weights lie channels-last, and a fused optimizer walks both as
    raw memory.

    Raises:
        ValueError: A moment is missing, or has another shape than its parameter.
    """
    if moments.keys() != {"step", "exp_avg", "exp_avg_sq"}:
        raise ValueError("moments of a parameter are missing")
    for name in ("exp_avg", "exp_avg_sq"):
        if moments[name].shape != parameter.shape:
            raise ValueError("moments have another shape than their parameter")
        moments[name] = torch.empty_like(parameter).copy_(moments[name])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
