"""Where a training runs: the device, its threads, and the memory allocator of the C library."""

import contextlib
import ctypes
import platform
import sys
from collections.abc import Iterator

import torch

from misread.errors import ParameterError

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_DEFAULT_MMAP_MAX = 65_536
_DEFAULT_TRIM_THRESHOLD = 128 * 1024


def pick_device(name: str = "auto") -> torch.device:
    """The device of this name; `auto` takes CUDA, else Apple's MPS, else the CPU.

    Raises:
        ParameterError: PyTorch has no such device here.
    """
    available = {"cpu": True}
    available["cuda"] = torch.cuda.is_available()
    available["mps"] = torch.backends.mps.is_available()
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(name):
        here = ", ".join(kind for kind, there in available.items() if there)
        raise ParameterError(f"device: expected auto or one of {here}. Got {name!r} instead.")
    return torch.device(name)


@contextlib.contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Let glibc keep freed memory instead of handing it back to the kernel at every step.

    A step allocates and frees activations of tens of megabytes. By default each of those is mapped
    anew, and the kernel zeroes its pages again: several per cent of a step on the CPU. At the end
    glibc's defaults are back, and what was kept is handed back. Elsewhere than on glibc this does
    nothing.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_MAX, _DEFAULT_MMAP_MAX)
        libc.mallopt(_M_TRIM_THRESHOLD, _DEFAULT_TRIM_THRESHOLD)
        libc.malloc_trim(0)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Without the instructions a CPU computes in float32 all the same, and converts on the way.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    tells = (getattr(torch.cpu, name, None) for name in names)
    return device.type == "cpu" and any(tell is not None and tell() for tell in tells)


def versions() -> dict[str, str]:
    """Versions of what decides a training's result."""
    from importlib.metadata import version

    return {
        "misread": version("misread"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": version("numpy"),
    }
