"""Training throughput and peak memory of the capsule networks, beside a plain baseline of each.

    python benchmarks/capsules.py [--models capsnet em-capsnet em-capsnet-full] [--pairs 3]
        [--images 512] [--json FILE]

The baseline is no peer but the equations written down: the library's convolutions, all votes of a
batch in one tensor, a Python loop over the routing iterations, autograd for the rest. It has the
same parameters, batch size (the papers'), loss and optimizer as misread's network; the optimizer
isn't fused, and there is no moving average of weights. misread's `capsnet` is measured in float32,
as the baseline is, and in mixed precision, its recipe's; compare the former for the formulation
alone.

Each measurement is a process of its own on the CPU; a step of warm-up, then so many images. Peak
memory is the kernel's figure for the process (`ru_maxrss`), PyTorch and the batch included.
"""

import argparse
import dataclasses
import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from machine import Machine, bare_environment, new_parser, print_table, run_json, write_json
from misread.models import Recipe, find_model
from misread.models.capsules import margin_loss
from misread.models.em_capsnet import spread_loss
from misread.models.optimizer import build_average, build_optimizer
from misread.models.runtime import keeping_freed_memory, versions
from misread.models.scored import ScoredNetwork

Step = Callable[[Tensor, Tensor], Tensor]

# As in the papers: recipes may have others.
_BATCH = {"capsnet": 128, "em-capsnet": 64, "em-capsnet-full": 64}


class PlainCapsNet(nn.Module):
    """Sabour, Frosst & Hinton 2017, written as it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 256, 9)
        self.second = nn.Conv2d(256, 256, 9, stride=2)
        self.transform = nn.Parameter(0.1 * torch.randn(1152, 10, 8, 16))
        self.decoder = nn.Sequential(
            nn.Linear(160, 512), nn.ReLU(), nn.Linear(512, 1024), nn.ReLU(),
            nn.Linear(1024, 784), nn.Sigmoid(),
        )  # fmt: skip

    @staticmethod
    def squash(s: Tensor) -> Tensor:
        """Equation 1."""
        squared = s.square().sum(dim=-1, keepdim=True)
        squashed: Tensor = squared / (1 + squared) * s / (squared + 1e-7).sqrt()
        return squashed

    def loss(self, images: Tensor, given: Tensor) -> Tensor:
        """The mean loss of a batch."""
        maps = self.second(self.first(images).relu())  # (N, 256, 6, 6)
        u = maps.view(len(images), 32, 8, 36).permute(0, 1, 3, 2).reshape(-1, 1152, 8)
        votes = torch.einsum("nid,ikdz->nikz", self.squash(u), self.transform)
        logits = votes.new_zeros(len(images), 1152, 10)
        for _ in range(3):
            coupling = logits.softmax(dim=2)
            capsules = self.squash((coupling[..., None] * votes).sum(dim=1))  # (N, 10, 16)
            logits = logits + (votes * capsules[:, None]).sum(dim=-1)
        lengths = (capsules.square().sum(dim=-1) + 1e-7).sqrt()
        masked = capsules * nn.functional.one_hot(given, 10)[..., None]
        drawn = self.decoder(masked.flatten(1))
        errors = (drawn - images.flatten(1)).square().sum(dim=1)
        loss: Tensor = (margin_loss(lengths, given) + 0.0005 * errors).mean()
        return loss


class PlainEM(nn.Module):
    """Hinton, Sabour & Frosst 2018, written as it is read, with parents competing everywhere."""

    def __init__(self, widths: tuple[int, int, int, int], iterations: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.iterations = iterations
        self.convolution = nn.Conv2d(1, a, 5, stride=2)
        self.poses = nn.Conv2d(a, 16 * b, 1, bias=False)
        self.activations = nn.Conv2d(a, b, 1, bias=False)
        self.transforms = nn.ParameterList(
            nn.Parameter(torch.randn(9 * kind, parents, 4, 4)) for kind, parents in ((b, c), (c, d))
        )
        self.last = nn.Parameter(torch.randn(d, 10, 4, 4))
        self.betas = nn.ParameterList(nn.Parameter(torch.zeros(2, n)) for n in (c, d, 10))

    def loss(self, images: Tensor, given: Tensor) -> Tensor:
        """The mean loss of a batch."""
        maps = self.convolution(images).relu()
        count = len(images)
        poses = self.poses(maps).view(count, -1, 4, 4, 12, 12).permute(0, 4, 5, 1, 2, 3)
        activations = self.activations(maps).sigmoid().permute(0, 2, 3, 1)  # (N, 12, 12, B)
        for stride, transform, betas in zip((2, 1), self.transforms, self.betas, strict=False):
            windows = self.windows(activations.shape[1], stride)  # (P, 9)
            poses, activations = self.route(poses, activations, windows, transform, betas)
            side = round(len(windows) ** 0.5)
            poses = poses.view(count, side, side, -1, 4, 4)
            activations = activations.view(count, side, side, -1)
        windows = torch.arange(9)[None]
        transform = self.last.repeat(9, 1, 1, 1)
        _, activations = self.route(poses, activations, windows, transform, self.betas[2])
        return spread_loss(activations[:, 0], given, 0.9).mean()

    @staticmethod
    def windows(side: int, stride: int) -> Tensor:
        """Places of the children (P, 9) in each 3x3 window."""
        places = torch.arange(side * side).view(side, side)
        return places.unfold(0, 3, stride).unfold(1, 3, stride).reshape(-1, 9)

    def route(
        self, poses: Tensor, activations: Tensor, windows: Tensor, transform: Tensor, betas: Tensor
    ) -> tuple[Tensor, Tensor]:
        """EM (procedure 1) for the whole batch."""
        count, parents = len(poses), transform.shape[1]
        types = activations.shape[-1]
        children = poses.flatten(1, 2)[:, windows].flatten(2, 3)  # (N, P, K, 4, 4)
        active = activations.flatten(1, 2)[:, windows].flatten(2)[..., None]  # (N, P, K, 1)
        votes = torch.einsum("npkab,kcbd->npkcad", children, transform).flatten(4)
        if len(windows) == 1:  # coordinates of the class capsules' children
            places = torch.stack([windows[0] // 3, windows[0] % 3], dim=1).float()
            offset = nn.functional.pad((4 * places + 8) / 100, (0, 14)).repeat_interleave(types, 0)
            votes = votes + offset[:, None]
        child = windows[:, :, None] * types + torch.arange(types)  # (P, 9, B)
        child = child.flatten()[None].expand(count, -1)
        size = int(child.max()) + 1
        fed = torch.zeros(count, size).scatter_add_(1, child, torch.ones(child.shape))
        shape = votes.shape[:4]
        coupling = (1 / fed.gather(1, child) / parents).view(*shape[:3], 1).expand(shape)
        most = coupling.sum(dim=2)
        for t in range(1, self.iterations + 1):
            weights = (coupling * active)[..., None]  # (N, P, K, C, 1)
            total = weights.sum(dim=2, keepdim=True) + 1e-9
            mean = (weights * votes).sum(dim=2, keepdim=True) / total
            variance = (weights * (votes - mean).square()).sum(dim=2, keepdim=True) / total + 5e-4
            cost = (betas[0][:, None] + 0.5 * variance.log()).sum(dim=-1) * total[..., 0]
            heat = 2.0 * (1 - 0.95**t)
            logit = heat * (betas[1] - cost[:, :, 0] / most)  # (N, P, C)
            if t < self.iterations:
                density = -((votes - mean).square() / (2 * variance)).sum(dim=-1)
                density = density - 0.5 * (2 * torch.pi * variance).log().sum(dim=-1)
                scores = density + nn.functional.logsigmoid(logit)[:, :, None]
                top = scores.detach().amax(dim=3).flatten(1)  # of a child, over its parents
                top = torch.full((count, size), -torch.inf).scatter_reduce(1, child, top, "amax")
                powers = (scores - top.gather(1, child).view(*shape[:3], 1)).exp()
                whole = torch.zeros(count, size)
                whole = whole.scatter_add(1, child, powers.sum(dim=3).flatten(1))
                coupling = powers / whole.gather(1, child).view(*shape[:3], 1)
        return mean[:, :, 0].view(*logit.shape, 4, 4), logit.sigmoid()


def parse() -> argparse.Namespace:
    parser = new_parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=_BATCH, default=["capsnet", "em-capsnet"])
    parser.add_argument("--pairs", type=int, default=3, help="rounds that count (default 3)")
    parser.add_argument("--images", type=int, default=512, help="of a measurement (default 512)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a measurement, as JSON
    return parser.parse_args()


def plain_step(model: str, recipe: Recipe) -> Step:
    network: PlainCapsNet | PlainEM
    if model == "capsnet":
        network = PlainCapsNet()
    else:
        options = find_model(model).options
        network = PlainEM(options.get("widths", (64, 8, 16, 16)), options.get("iterations", 2))
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate)

    def step(images: Tensor, given: Tensor) -> Tensor:
        loss = network.loss(images, given)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss

    return step


def misread_step(model: str, recipe: Recipe) -> Step:
    spec = find_model(model)
    build = importlib.import_module(spec.module).build
    network: ScoredNetwork = build((28, 28, 1), 10, **spec.options)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(network, recipe, torch.device("cpu"))
    average = build_average(network, recipe)
    mixed = recipe.precision == "mixed"

    def step(images: Tensor, given: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed, cache_enabled=False):
            loss, _ = network.objective(images, given, recipe, 0.5)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if average is not None:
            average.update_parameters(network)
        return loss

    return step


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """One measurement, in this process."""
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    model, who = settings["model"], settings["who"]
    recipe = find_model(model).recipe()
    if who == "misread float32":
        recipe = dataclasses.replace(recipe, precision="float32")
    step = (plain_step if who == "baseline" else misread_step)(model, recipe)
    size = _BATCH[model]
    images, given = torch.rand(size, 1, 28, 28), torch.randint(0, 10, (size,))
    steps = max(1, settings["images"] // size)

    def run() -> tuple[float, float]:
        step(images, given)
        started, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            step(images, given)
        return time.perf_counter() - started, time.process_time() - used

    if who == "baseline":
        seconds, cpu = run()
    else:
        with keeping_freed_memory():  # part of misread's training loop
            seconds, cpu = run()
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "images_per_second": steps * size / seconds,
        "cpu_milliseconds_per_image": 1e3 * cpu / steps / size,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale,
        "versions": versions(),
    }


def contenders(model: str) -> list[str]:
    mixed = find_model(model).recipe().precision == "mixed"
    return ["baseline", "misread float32", *(["misread mixed"] if mixed else [])]


def main() -> None:
    options = parse()
    if options.one:
        print(json.dumps(measure(json.loads(options.one))))
        return
    machine = Machine.here()
    threads = options.threads or machine.cores
    rounds: dict[str, list[dict[str, Any]]] = {}
    for number in range(options.pairs):
        for model in options.models:
            order = contenders(model)
            for who in order if number % 2 == 0 else order[::-1]:
                settings = {
                    "model": model, "who": who, "seed": number,
                    "threads": threads, "images": options.images,
                }  # fmt: skip
                environment = bare_environment(
                    OMP_NUM_THREADS=str(threads), PYTHONPATH=os.environ.get("PYTHONPATH", "")
                )
                command = [sys.executable, __file__, "--one", json.dumps(settings)]
                rounds.setdefault(f"{model}, {who}", []).append(run_json(command, environment))
    rows = []
    for name, results in rounds.items():
        base = rounds[f"{name.partition(',')[0]}, baseline"]
        rates = [result["images_per_second"] for result in results]
        ratios = [
            result["images_per_second"] / plain["images_per_second"]
            for result, plain in zip(results, base, strict=True)
        ]
        cpu = statistics.median(result["cpu_milliseconds_per_image"] for result in results)
        peak = max(result["peak_bytes"] for result in results) / 1e9
        rows.append(
            (
                name, f"{statistics.median(rates):.1f}", f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}", f"{cpu:.1f}", f"{peak:.2f}",
            )
        )  # fmt: skip
    print(
        f"training throughput, {options.images} images a measurement, {threads} threads, medians "
        f"of n={options.pairs} interleaved rounds; the baseline is the equations written down"
    )
    columns = ("", "images/s", "x baseline", "from, to", "CPU ms/image", "peak GB")
    print_table(columns, rows)
    print(machine)
    content = {"benchmark": "capsules", "n": options.pairs, "threads": threads, "rounds": rounds}
    write_json(options.json, machine, content)


if __name__ == "__main__":
    main()
