"""Child process of the `gpu` bench: the original networks in PyTorch, float32, on the machine's GPU.

Reads cases as JSON from standard input, writes results as one line. Exits 1 with the reason on standard error where PyTorch, a
GPU, or the original weights (`training/import.sh` fetches them) are missing.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

RUNS = 20
WARM_UP = 3
CACHE = Path(__file__).resolve().parents[2] / "training" / ".cache"


def refuse(reason: str) -> None:
    print(reason, file=sys.stderr)
    raise SystemExit(1)


def measure(case: dict[str, Any], torch: Any, models: dict[str, Any]) -> float:
    """Median seconds a run, synchronized."""
    model = models[case["model"]]
    device = torch.device("cuda")
    network = model.original(CACHE).eval().to(device)
    sample = model.sample(case["height"], case["width"])
    inputs = [torch.from_numpy(sample[port.name]).to(device) for port in model.inputs]
    times = []
    with torch.inference_mode():
        for run in range(-WARM_UP, RUNS):
            torch.cuda.synchronize()
            started = time.perf_counter()
            network(*inputs)
            torch.cuda.synchronize()
            if run >= 0:
                times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    request = json.load(sys.stdin)
    try:
        import torch
        from emulsion_training.models import MODELS
    except ImportError as error:
        refuse(f"{error}")
    if not torch.cuda.is_available():
        refuse("PyTorch sees no CUDA GPU")
    if not CACHE.is_dir():
        refuse(f"the original weights are not in {CACHE}: run training/import.sh")
    # The same arithmetic as ours: no TensorFloat-32.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    models = {model.id: model for model in MODELS}
    variant = "PyTorch float32"
    # A model of our own has no published original; its network is one of those measured.
    published = [case for case in request["cases"] if case["model"] in models]
    results = [{**case, "variant": variant, "seconds": measure(case, torch, models)} for case in published]
    where = f"PyTorch {torch.__version__}, {torch.cuda.get_device_name(0)}"
    print(json.dumps({"where": where, "results": results}))


main()
