"""Errors and times of ggml's CPU kernels of gelu and tanh, and of the same from its silu, beside PyTorch's in f64.

Run as `python bench/ggml-functions.py [CPU backend, such as zen4]` with torch and numpy, after `npm ci`.
"""

import ctypes
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

FOLDER = next(Path(__file__).parent.parent.glob("node_modules/@node-llama-cpp/linux-x64/bins/*/libggml-base.so")).parent
BACKEND = sys.argv[1] if len(sys.argv) > 1 else "zen4"
POINTER, FLOAT, COUNT = ctypes.c_void_p, ctypes.c_float, 1 << 20
base = ctypes.CDLL(str(FOLDER / "libggml-base.so"), ctypes.RTLD_GLOBAL)
cpu = ctypes.CDLL(str(FOLDER / f"libggml-cpu-{BACKEND}.so"), ctypes.RTLD_GLOBAL)


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("buffer", POINTER), ("no_alloc", ctypes.c_bool)]


def bound(library, name, *arguments, result=POINTER):
    function = getattr(library, f"ggml_{name}")
    function.argtypes, function.restype = arguments, result
    return function


init, free = bound(base, "init", Options), bound(base, "free", POINTER, result=None)
vector, data = bound(base, "new_tensor_1d", POINTER, ctypes.c_int, ctypes.c_int64), bound(base, "get_data", POINTER)
new_graph, expand = bound(base, "new_graph", POINTER), bound(base, "build_forward_expand", POINTER, POINTER, result=None)
compute = bound(cpu, "graph_compute_with_ctx", POINTER, POINTER, ctypes.c_int, result=ctypes.c_int)
gelu, gelu_erf, silu, tanh = (bound(base, name, POINTER, POINTER) for name in ("gelu", "gelu_erf", "silu", "tanh"))
mul, div = (bound(base, name, POINTER, POINTER, POINTER) for name in ("mul", "div"))
linear = bound(base, "scale_bias", POINTER, POINTER, FLOAT, FLOAT)


def gelu_by_silu(own, x):
    slope = 2 * math.sqrt(2 / math.pi)
    factor = linear(own, mul(own, x, x), 0.044715 * slope, slope)
    return div(own, silu(own, mul(own, x, factor)), factor)


def tanh_by_silu(own, x):
    apart = linear(own, x, 2, 1e-30)
    return linear(own, div(own, silu(own, apart), apart), 2, -1)


def measure(build, numbers):
    """Results, and CPU nanoseconds an element: the median of nine runs on one thread."""
    own = init(Options(1 << 28, None, False))
    values = lambda tensor: np.ctypeslib.as_array(ctypes.cast(data(tensor), ctypes.POINTER(FLOAT)), (COUNT,))
    x = vector(own, 0, COUNT)
    values(x)[:] = numbers
    result, graph = build(own, x), new_graph(own)
    expand(graph, result)
    times = []
    for _ in range(9):
        start = time.process_time_ns()
        compute(own, graph, 1)
        times.append(time.process_time_ns() - start)
    found = values(result).copy()
    free(own)
    return found, sorted(times)[4] / COUNT


def main():
    numbers = (np.random.default_rng(0).normal(size=COUNT) * 3).astype(np.float32)
    exact = torch.tensor(numbers, dtype=torch.float64)
    answers = {
        "gelu, tanh form": torch.nn.functional.gelu(exact, approximate="tanh"),
        "gelu, exact": torch.nn.functional.gelu(exact),
        "tanh": exact.tanh(),
    }
    ways = [
        ("gelu, tanh form", "ggml_gelu", gelu),
        ("gelu, tanh form", "from ggml_silu", gelu_by_silu),
        ("gelu, exact", "ggml_gelu_erf", gelu_erf),
        ("tanh", "ggml_tanh", tanh),
        ("tanh", "from ggml_silu", tanh_by_silu),
    ]
    for function, name, build in ways:
        found, ns = measure(build, numbers)
        answer = answers[function].numpy()
        error = np.max(np.abs(found - answer) / np.maximum(1, np.abs(answer)))
        print(f"{function:16} {name:15} error {error:.1e}  {ns:.2f} ns")


main()
