"""The ncnn reader on graphs small enough to compute by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emulsion_training.ncnn import NcnnFormatError, NcnnNetwork, parse_param, read_weights

GRAPH = """7767517
5 6
Input input 0 1 data
MemoryData mean 0 1 mean 0=1 1=1 2=3
BinaryOp sub 2 1 data mean centered 0=1
Convolution conv 1 1 centered scaled 0=3 1=1 5=1 6=9
Split split 1 2 scaled output spare
"""
MEAN = np.array([0.25, 0.5, 0.75], "<f4")
WEIGHT = np.diag([1.0, 2.0, 4.0]).astype("<f2")
BIAS = np.array([0.0, 0.5, 1.0], "<f4")


def weights(tag: int = 0x01306B47) -> bytes:
    """The weight file: 9 half floats are 18 bytes, so two bytes of padding follow."""
    return MEAN.tobytes() + np.array([tag], "<u4").tobytes() + WEIGHT.tobytes() + b"\0\0" + BIAS.tobytes()


def test_half_weights_with_padding_are_read_and_run() -> None:
    layers = parse_param(GRAPH)
    read_weights(layers, weights())
    image = torch.full((1, 3, 2, 2), 1.0)
    result = NcnnNetwork(layers)(image)
    assert result[0, :, 0, 0].tolist() == [0.75, 0.5 * 2 + 0.5, 0.25 * 4 + 1.0]


def test_single_weights_are_read() -> None:
    layers = parse_param(GRAPH)
    data = MEAN.tobytes() + bytes(4) + WEIGHT.astype("<f4").tobytes() + BIAS.tobytes()
    read_weights(layers, data)
    assert np.array_equal(layers[3].weights["weight"][:, :, 0, 0], WEIGHT.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRAPH.replace("7767517", "7767516"), "magic"),
        (GRAPH.replace("5 6", "6 6"), "layers"),
        (GRAPH.replace("5 6", "5 7"), "blobs"),
        (GRAPH.replace("1 1 centered scaled", "1 1 elsewhere scaled"), "unknown inputs"),
        (GRAPH.replace("0=3 1=1", "0=3 1=one"), "layer line"),
    ],
)
def test_a_damaged_graph_is_refused(text: str, message: str) -> None:
    with pytest.raises(NcnnFormatError, match=message):
        parse_param(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [(weights() + b"\0", "left over"), (weights()[:-1], "weights end"), (weights(tag=0x000D4B38), "tag")],
)
def test_a_damaged_weight_file_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(NcnnFormatError, match=message):
        read_weights(parse_param(GRAPH), data)


def test_an_unknown_layer_is_refused() -> None:
    layers = parse_param("7767517\n2 2\nInput input 0 1 data\nSoftmax soft 1 1 data output\n")
    with pytest.raises(NcnnFormatError, match="Softmax"):
        NcnnNetwork(layers)(torch.zeros(1, 3, 2, 2))
