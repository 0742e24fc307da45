"""From a PyTorch module to the ONNX file that is shipped: opset 17, float16-stored weights, the same bytes every run."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
IR_VERSION = 8
FLOAT16_FROM = 1024
"""Float initializers with at least this many values are stored as float16; smaller ones (biases, means) stay exact."""
FLOAT16_MAX = 65504.0

WEBGPU_OPERATORS = frozenset(
    {
        "Abs",
        "Add",
        "Cast",
        "Concat",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Div",
        "GridSample",
        "LeakyRelu",
        "Log",
        "Mul",
        "PRelu",
        "ReduceMean",
        "Relu",
        "Resize",
        "Sigmoid",
        "Slice",
        "Sub",
        "Transpose",
    }
)
"""Operators that onnxruntime-web 1.30 runs on WebGPU at opset 17 with CPU fallback forbidden, as used by our models."""


@dataclass
class Port:
    """A named input or output: `shape` holds numbers and dimension names such as "H", "W/2"."""

    name: str
    shape: list[int | str]
    range: str
    meaning: str


@dataclass
class ExportRequest:
    """A module with example inputs and its named ports."""

    module: nn.Module
    example: tuple[Tensor, ...]
    inputs: list[Port]
    outputs: list[Port]
    metadata: dict[str, str] = field(default_factory=dict)


def export(request: ExportRequest) -> onnx.ModelProto:
    """Traces the module, then normalizes the graph and stores large weights as float16."""
    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # The TorchScript exporter announces its age and every traced shape at each call.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            request.module.eval(),
            request.example,
            buffer,  # type: ignore[arg-type]
            opset_version=OPSET,
            dynamo=False,
            do_constant_folding=True,
            input_names=[port.name for port in request.inputs],
            output_names=[port.name for port in request.outputs],
            dynamic_axes={port.name: _axes(port) for port in [*request.inputs, *request.outputs] if _axes(port)},
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    _constants_to_initializers(model.graph)
    _store_float16(model.graph)
    _normalize(model, request)
    onnx.checker.check_model(model, full_check=True)
    return model


def _axes(port: Port) -> dict[int, str]:
    return {index: size for index, size in enumerate(port.shape) if isinstance(size, str)}


def _constants_to_initializers(graph: onnx.GraphProto) -> None:
    kept = []
    for node in graph.node:
        if node.op_type != "Constant":
            kept.append(node)
            continue
        value = next(attribute.t for attribute in node.attribute if attribute.name == "value")
        value.name = node.output[0]
        graph.initializer.append(value)
    used = {name for node in kept for name in node.input}
    live = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:]
    graph.node.extend(kept)
    del graph.initializer[:]
    graph.initializer.extend(live)


def _store_float16(graph: onnx.GraphProto) -> None:
    casts, stored = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < FLOAT16_FROM:
            stored.append(tensor)
            continue
        if np.abs(values).max() > FLOAT16_MAX:
            raise ValueError(f"{tensor.name}: {np.abs(values).max()} does not fit float16")
        name = f"{tensor.name}.f16"
        stored.append(numpy_helper.from_array(values.astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], name=f"{tensor.name}.expand", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)


def _normalize(model: onnx.ModelProto, request: ExportRequest) -> None:
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "emulsion_training", "1", ""
    model.graph.name = request.metadata.get("id", "model")
    model.graph.doc_string = ""
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
    for info, port in zip([*model.graph.input, *model.graph.output], [*request.inputs, *request.outputs], strict=True):
        dims = [helper.make_tensor_value_info("d", TensorProto.FLOAT, [size]) for size in port.shape]
        del info.type.tensor_type.shape.dim[:]
        info.type.tensor_type.shape.dim.extend(dim.type.tensor_type.shape.dim[0] for dim in dims)
    del model.metadata_props[:]
    for key, value in sorted(request.metadata.items()):
        model.metadata_props.add(key=key, value=value)


def operators(model: onnx.ModelProto) -> dict[str, int]:
    """How often each operator occurs."""
    counts: dict[str, int] = {}
    for node in model.graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return dict(sorted(counts.items()))


def opset(model: onnx.ModelProto) -> int:
    """The version of the default operator set."""
    return int(next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")))


def check_for_webgpu(model: onnx.ModelProto) -> list[str]:
    """Everything about a graph that would keep it from running wholly and rightly on WebGPU; empty when fit."""
    problems = []
    if not 16 <= opset(model) <= 19:
        problems.append(f"opset {opset(model)}: expected 16–19")
    for name in sorted(set(operators(model)) - WEBGPU_OPERATORS):
        problems.append(f"operator {name}: not on the list of operators that run on WebGPU")
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight = node.input[1]
            dims = shapes.get(weight) or shapes[f"{weight}.f16"]
            if dims[2] > 1 and dims[1] % 3 == 0 and dims[1] % 4:
                problems.append(f"convolution {node.name}: {dims[1]} input channels need padding")
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= FLOAT16_FROM:
            problems.append(f"weights {tensor.name}: stored as float32")
    return problems


def gflop(model: onnx.ModelProto, sizes: dict[str, tuple[int, ...]]) -> float:
    """GFLOP (two per multiply-add) of all convolutions for given input shapes, by shape inference."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for info in fixed.graph.input:
        for dim, size in zip(info.type.tensor_type.shape.dim, sizes[info.name], strict=True):
            dim.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(fixed, data_prop=True)
    known = {
        info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim]
        for info in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    }
    known |= {tensor.name: list(tensor.dims) for tensor in inferred.graph.initializer}
    total = 0
    for node in inferred.graph.node:
        if node.op_type == "Conv":
            total += 2 * int(np.prod(known[node.output[0]])) * int(np.prod(known[node.input[1]][1:]))
        elif node.op_type == "ConvTranspose":
            total += 2 * int(np.prod(known[node.input[0]])) * int(np.prod(known[node.input[1]][1:]))
    return total / 1e9
