"""A painter's weights to an ONNX model, for runtimes that this project does not use itself.

Inputs are ``picture`` [N, 3, H + 2 apron, W + 2 apron], 0 to 1, with H and W multiples of 4, and
``affine`` [2, C], a shot's scale and shift as ``stylize.measure`` gives them; ``painted`` is
[N, 3, H, W]. N, H and W are free. The model's metadata name size, apron and weights.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pipeline.paint.layers import Array, Weights, painted, phase_kernels
from pipeline.paint.sizes import Size

_OPSET = 17
_IR = 8
"""Of 2022; runtimes refuse models from a later one than their own."""


def painting_model(weights: Weights, size: Size, *, facts: Mapping[str, str]) -> bytes:
    """Write a painter as a serialised model.

    Args:
        weights: of the painter.
        size: of the painter.
        facts: become the model's metadata, beside ``apron`` and ``stride``.
    """
    graph = _Graph(weights, size)
    out = painted("picture", graph, size)
    graph.add("Identity", [out], name="painted")
    free = ("N", 3, "height", "width")
    inside = ("N", 3, "painted_height", "painted_width")
    inputs = [_value("picture", free), _value("affine", (2, size.channels))]
    body = helper.make_graph(
        graph.nodes, "painter", inputs, [_value("painted", inside)], graph.constants
    )
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=_IR, producer_name="reelbrush")
    helper.set_model_props(model, {**facts, "apron": str(size.apron), "stride": "4"})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _value(name: str, shape: tuple[int | str, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


class _Graph:
    """Ops that add nodes; a picture is the name of a node's output."""

    def __init__(self, weights: Weights, size: Size) -> None:
        self._weights, self._size = weights, size
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        widths = self.constant(np.array(size.widths))
        parts = [f"affine.{index}" for index in range(len(size.widths))]
        self.nodes.append(helper.make_node("Split", ["affine", widths], parts, axis=1))
        self._parts = [self._column(part, row) for part in parts for row in (0, 1)]

    def add(
        self,
        kind: str,
        inputs: list[str],
        *,
        name: str | None = None,
        given: Mapping[str, int | str | list[int]] | None = None,
    ) -> str:
        """Add a node with its attributes and give the name of its output."""
        output = name or f"{kind}.{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [output])
        node.attribute.extend(helper.make_attribute(key, v) for key, v in (given or {}).items())
        self.nodes.append(node)
        return output

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant and give its name."""
        name = f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def unshuffled(self, x: str) -> str:
        y = self.add("SpaceToDepth", [x], given={"blocksize": 2})  # phases first, then channels
        order = np.arange(12).reshape(4, 3).T.reshape(-1)
        return self.add("Gather", [y, self.constant(order)], given={"axis": 1})

    def convolved(self, x: str, name: str, *, stride: int = 1) -> str:
        kernel, bias = self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        return self._convolution(x, kernel, bias, stride=stride)

    def modulated(self, x: str, index: int) -> str:
        scale, shift = self._parts[2 * index : 2 * index + 2]
        return self.add("Add", [self.add("Mul", [x, scale]), shift])

    def rectified(self, x: str) -> str:
        return self.add("Relu", [x])

    def smoothed(self, x: str) -> str:
        line = np.array([0.25, 0.5, 0.25], np.float32)
        kernel = np.tile(np.outer(line, line), (self._size.stem, 1, 1, 1))
        return self._convolution(x, kernel, None, group=self._size.stem)

    def cropped(self, x: str, margin: int) -> str:
        first, last = (self.constant(np.full(2, value)) for value in (margin, -margin))
        return self.add("Slice", [x, first, last, self.constant(np.array([2, 3]))])

    def added(self, x: str, y: str) -> str:
        return self.add("Add", [x, y])

    def doubled_convolved(self, x: str, name: str) -> str:
        kernel, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        phases = self._convolution(x, phase_kernels(kernel), np.repeat(bias, 4))
        return self.shuffled(phases)

    def shuffled(self, x: str) -> str:
        return self.add("DepthToSpace", [x], given={"blocksize": 2, "mode": "CRD"})

    def squashed(self, x: str) -> str:
        half = self.constant(np.array(0.5, np.float32))
        return self.add("Add", [self.add("Mul", [self.add("Tanh", [x]), half]), half])

    def _column(self, part: str, row: int) -> str:
        """Row 0 or 1 of [2, C] as [1, C, 1, 1]."""
        line = self.add("Gather", [part, self.constant(np.array(row))], given={"axis": 0})
        return self.add("Reshape", [line, self.constant(np.array([1, -1, 1, 1]))])

    def _convolution(
        self, x: str, kernel: Array, bias: Array | None, *, stride: int = 1, group: int = 1
    ) -> str:
        inputs = [x, self.constant(kernel)]
        if bias is not None:
            inputs.append(self.constant(bias))
        return self.add("Conv", inputs, given={"strides": [stride, stride], "group": group})
