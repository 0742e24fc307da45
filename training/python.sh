#!/usr/bin/env bash
# Runs Python with what training/ needs: python.sh -m workshop …. Creates training/.venv where it is missing (a minute or two).
# Needs python3 (3.11 or later) with venv. EMULSION_TRAINING_VENV: another environment. EMULSION_TORCH_INDEX: where PyTorch's
# wheels come from, if not the registry, whose own carry CUDA.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${EMULSION_TRAINING_VENV:-$here/.venv}
if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import torch, onnx, onnxruntime, numpy, PIL, pytest, ruff, mypy' 2>/dev/null; then
	if [ -n "${EMULSION_TORCH_INDEX:-}" ]; then
		"$venv/bin/python" -m pip install --quiet --no-compile --index-url "$EMULSION_TORCH_INDEX" 'torch==2.15.0'
	fi
	# What is imported is compiled then: all of it would take longer than the tests that need some.
	"$venv/bin/python" -m pip install --quiet --no-compile "$here"'[dev,evaluate,workshop]'
fi
# Paths on the command line are the caller's.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
exec "$venv/bin/python" "$@"
