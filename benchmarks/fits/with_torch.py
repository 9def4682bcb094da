"""One epoch of the post's network in a bare PyTorch loop; a peer of `benchmarks/throughput.py`.

    python benchmarks/fits/with_torch.py DATA.npz SETTINGS

SETTINGS is a JSON object: `recipe`, `seed`, `warm_up` (steps) and `tuned`. The loop is what one
would write by hand: images as float32 tensors in memory, channels last, no loader, no progress, no
sums of the loss, Adam as PyTorch has it by default. With `tuned`, ReLUs work in place and Adam is
fused, as in misread, so that what is left is misread's loop and its allocator. Prints one line of
JSON; knows nothing of misread.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Recipe = dict[str, Any]


def build_network(tuned: bool) -> nn.Sequential:
    constants = (1e-3, 0.01)  # epsilon, weight of the new value
    network = nn.Sequential(
        nn.Conv2d(1, 32, 5), nn.ReLU(tuned), nn.BatchNorm2d(32, *constants),
        nn.Conv2d(32, 64, 5), nn.ReLU(tuned), nn.BatchNorm2d(64, *constants), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3), nn.ReLU(tuned), nn.BatchNorm2d(128, *constants), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.1),
        nn.Linear(2048, 128), nn.ReLU(tuned), nn.BatchNorm1d(128, *constants), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def build_optimizer(network: nn.Module, recipe: Recipe, tuned: bool) -> Optimizer:
    fused = True if tuned else None
    rate = recipe["learning_rate"]
    if recipe["optimizer"] == "adam":
        return Adam(network.parameters(), rate, fused=fused)
    return AdamW(network.parameters(), rate, weight_decay=recipe["weight_decay"], fused=fused)


def pick(images: Tensor, chosen: Tensor, shift: int) -> Tensor:
    """The chosen images (B, 1, 28, 28) of padded ones, each from a random place, channels last."""
    if not shift:
        return images[chosen].contiguous(memory_format=torch.channels_last)
    rows, columns = torch.randint(0, 2 * shift + 1, (2, len(chosen), 1)) + torch.arange(28)
    batch = images[chosen[:, None, None], 0, rows[:, :, None], columns[:, None, :]]
    return batch[:, None].contiguous(memory_format=torch.channels_last)


def train(images: Tensor, labels: Tensor, recipe: Recipe, tuned: bool) -> tuple[float, float]:
    """Seconds of the loop, and the last step's loss."""
    size, shift = recipe["batch_size"], recipe["shift"]
    steps = len(labels) // size
    padded = F.pad(images, (shift, shift, shift, shift))
    network = build_network(tuned).train()
    optimizer = build_optimizer(network, recipe, tuned)
    schedule, average = None, None
    if recipe["schedule"] == "one-cycle":
        schedule = OneCycleLR(
            optimizer, recipe["learning_rate"], total_steps=steps,
            pct_start=recipe["warmup"], cycle_momentum=False,
        )  # fmt: skip
    if recipe["average_decay"]:
        moving = get_ema_multi_avg_fn(recipe["average_decay"])  # type: ignore[no-untyped-call]
        average = AveragedModel(network, multi_avg_fn=moving)
    loss = torch.zeros(())

    started = time.perf_counter()
    order = torch.randperm(len(labels))
    for step in range(steps):
        chosen = order[step * size : (step + 1) * size]
        logits = network(pick(padded, chosen, shift))
        loss = F.cross_entropy(logits, labels[chosen], label_smoothing=recipe["label_smoothing"])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if average is not None:
            average.update_parameters(network)
    return time.perf_counter() - started, float(loss)


def main() -> None:
    settings = json.loads(sys.argv[2])
    recipe, tuned = settings["recipe"], settings["tuned"]
    with np.load(sys.argv[1], allow_pickle=False) as data:
        images = torch.from_numpy(data["x_train"])[:, None].float() / 255
        labels = torch.from_numpy(data["y_train"]).long()
    torch.manual_seed(settings["seed"])
    some = settings["warm_up"] * recipe["batch_size"]
    train(images[:some], labels[:some], recipe, tuned)
    seconds, loss = train(images, labels, recipe, tuned)
    row = {
        "seconds": round(seconds, 3),
        "threads": torch.get_num_threads(),
        "loss": loss,
        "versions": {"torch": torch.__version__},
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
