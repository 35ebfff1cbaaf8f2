"""The painter in OpenVINO, float32: on CPUs.

The *roaming* graph takes pictures of any shape; the *fitted* graph is made for one shape and faster
by an eighth. Both use the same kernels and give the same bits, so the largest shape that has been
asked for, a film's whole picture, gets a fitted graph, and tiles go through the roaming one.

What the last bits hang on is held fast. A product and a sum are rounded each for itself, for which
a graph's fusing into snippets is off: it would make one operation of them, in fitted graphs only.
Moments are averaged along rows, then columns, then pictures, so that no sum depends on how many
threads there are. Nearest neighbours before a convolution are folded into its kernel: it becomes
four of 2x2, one for each phase, less than half of the products.
"""

from functools import cached_property
from typing import Literal

import numpy as np
import openvino as ov
from openvino import Node
from openvino import opset13 as nodes

from pipeline.paint.layers import (
    EPS_SHARE,
    Array,
    Weights,
    heads,
    modulate_all,
    painted,
    phase_kernels,
    typical,
)
from pipeline.paint.sizes import Size

_ANY = (-1, -1, -1)
_PIXELS = (2, 3)


class OpenvinoNet:
    """A painter's weights on the CPU."""

    def __init__(
        self,
        weights: Weights,
        size: Size,
        *,
        threads: int | None = None,
        precision: Literal["f32", "bf16"] = "f32",
        fitted: bool = True,
        folded: Array | None = None,
    ) -> None:
        """Hold the weights; graphs are compiled when they are first needed.

        Args:
            weights: of the painter.
            size: of the painter.
            threads: at most; None takes as many as there are cores.
            precision: of computing; bf16 is for comparison only.
            fitted: False has all shapes painted by the roaming graph.
            folded: an affine that is built into the kernels, for comparison: the only one that
                ``paint`` then has.
        """
        self.size, self._fits, self._folded = size, fitted, folded
        self._precision = precision
        self._weights = weights
        self._core = ov.Core()
        self._options: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # workers would all be pinned to the first cores
            "SNIPPETS_MODE": "DISABLE",
        }
        if threads is not None:
            self._options["INFERENCE_NUM_THREADS"] = threads
        self._fitted: tuple[tuple[int, int, int], ov.InferRequest] | None = None

    @cached_property
    def identity(self) -> str:
        """Version and the kernels in use, which differ between kinds of CPU."""
        compiled = self._roaming.get_compiled_model()
        kernels = {
            node.get_rt_info()["primitiveType"].astype(str)
            for node in compiled.get_runtime_model().get_ordered_ops()
            if node.get_rt_info()["layerType"].astype(str) == "Convolution"
        }
        return f"openvino {ov.__version__} cpu {' '.join(sorted(kernels))} {self._precision}"

    def measure(self, x: Array, codes: Array) -> Array:
        """Fold codes and moments into the shot's affine; see ``runtime.Net``."""
        gains = heads(self._weights, codes, self.size).reshape(1, -1, 1, 1)
        request = self._measuring.create_infer_request()  # its memory goes with it
        affine = request.infer([_laid(x), gains], share_inputs=True)[0]
        return np.asarray(affine, np.float32).reshape(2, -1)

    def paint(self, x: Array, affine: Array) -> Array:
        """Paint with one affine [2, C]; see ``runtime.Net``."""
        laid = _laid(x)
        one = np.ascontiguousarray(affine, np.float32).reshape(1, -1, 1, 1)
        request = self._request_for((laid.shape[0], laid.shape[1], laid.shape[2]))
        out = request.infer([laid, one], share_inputs=True)[0]
        return np.asarray(out, np.float32).transpose(0, 3, 1, 2)

    def _request_for(self, shape: tuple[int, int, int]) -> ov.InferRequest:
        if not self._fits:
            return self._roaming
        largest, request = self._fitted or (None, None)
        if request is None or largest is None or np.prod(shape) > np.prod(largest):
            self._fitted = None
            graph = painting_graph(self._weights, self.size, shape=shape, folded=self._folded)
            largest, request = shape, self._compiled(graph).create_infer_request()
            self._fitted = largest, request
        return request if shape == largest else self._roaming

    @cached_property
    def _roaming(self) -> ov.InferRequest:
        return self._compiled(painting_graph(self._weights, self.size)).create_infer_request()

    @cached_property
    def _measuring(self) -> ov.CompiledModel:
        return self._compiled(measuring_graph(self._weights, self.size))

    def _compiled(self, graph: ov.Model) -> ov.CompiledModel:
        return self._core.compile_model(graph, "CPU", self._options)


def painting_graph(
    weights: Weights,
    size: Size,
    *,
    shape: tuple[int, int, int] = _ANY,
    folded: Array | None = None,
) -> ov.Model:
    """Pictures [N, h, w, 3] and an affine [1, 2 C, 1, 1] to painted pictures [N, H, W, 3].

    Args:
        weights: of the painter.
        size: of the painter.
        shape: N, h and w; -1 is any.
        folded: is used in place of the affine that is given.
    """
    picture = nodes.parameter([*shape, 3], np.float32, name="picture")
    affine = nodes.parameter([1, 2 * size.channels, 1, 1], np.float32, name="affine")
    used = affine if folded is None else nodes.constant(folded.reshape(1, -1, 1, 1))
    ops = _Graph(weights, size, used)
    out = _moved(painted(_moved(picture, 0, 3, 1, 2), ops, size), 0, 2, 3, 1)
    return ov.Model([out], [picture, affine], "painting")


def measuring_graph(weights: Weights, size: Size) -> ov.Model:
    """Pictures [N, h, w, 3] and gains [1, 2 C, 1, 1] to their affine [1, 2 C, 1, 1]."""
    picture = nodes.parameter([*_ANY, 3], np.float32, name="picture")
    gains = nodes.parameter([1, 2 * size.channels, 1, 1], np.float32, name="gains")
    ops = _Measuring(weights, size, gains)
    modulate_all(_moved(picture, 0, 3, 1, 2), ops, size)
    scales, shifts = zip(*ops.late, strict=True)
    affine = nodes.concat([*ops.scales, *scales, *ops.shifts, *shifts], 1)
    return ov.Model([affine], [picture, gains], "measuring")


def _laid(x: Array) -> Array:
    """[N, 3, h, w] to [N, h, w, 3], for which nothing is copied where x is a view of the like."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1), np.float32)


def _moved(x: Node, *axes: int) -> Node:
    return nodes.transpose(x, nodes.constant(np.array(axes)))


class _Graph:
    """Ops that add nodes to a graph."""

    def __init__(self, weights: Weights, size: Size, affine: Node) -> None:
        self._weights, self._size = weights, size
        self._parts = [
            (_picked(affine, start, width), _picked(affine, size.channels + start, width))
            for start, width in zip(_starts(size), size.widths, strict=True)
        ]

    def unshuffled(self, x: Node) -> Node:
        return nodes.space_to_depth(x, "depth_first", 2)

    def convolved(self, x: Node, name: str, *, stride: int = 1) -> Node:
        kernel, bias = self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        return _biased(_convolution(x, kernel, stride), bias)

    def modulated(self, x: Node, index: int) -> Node:
        scale, shift = self._parts[index]
        return nodes.add(nodes.multiply(x, scale), shift)

    def rectified(self, x: Node) -> Node:
        return nodes.relu(x)

    def smoothed(self, x: Node) -> Node:
        line = np.array([0.25, 0.5, 0.25], np.float32)
        kernel = np.tile(np.outer(line, line), (self._size.stem, 1, 1, 1, 1))
        ones, none = [1, 1], [0, 0]
        return nodes.group_convolution(x, nodes.constant(kernel), ones, none, none, ones)

    def cropped(self, x: Node, margin: int) -> Node:
        first, last, step = (np.full(2, value) for value in (margin, -margin, 1))
        axes = np.array(_PIXELS)
        return nodes.slice(x, *(nodes.constant(a) for a in (first, last, step, axes)))

    def added(self, x: Node, y: Node) -> Node:
        return nodes.add(x, y)

    def doubled_convolved(self, x: Node, name: str) -> Node:
        kernel, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        phases = _biased(_convolution(x, phase_kernels(kernel), 1), np.repeat(bias, 4))
        return self.shuffled(phases)

    def shuffled(self, x: Node) -> Node:
        return nodes.depth_to_space(x, "depth_first", 2)

    def squashed(self, x: Node) -> Node:
        half = nodes.constant(np.float32(0.5))
        return nodes.add(nodes.multiply(nodes.tanh(x), half), half)


class _Measuring(_Graph):
    """The same nodes, where each modulation measures what it is given and keeps its affine."""

    def __init__(self, weights: Weights, size: Size, gains: Node) -> None:
        super().__init__(weights, size, gains)
        floors = EPS_SHARE * typical(weights, size).reshape(1, -1, 1, 1)
        count = len(size.normalised)
        self._floors = np.split(floors, _starts(size)[1:count], axis=1)
        self.late = self._parts[count:]
        """gains and biases [1, C, 1, 1] of the places that do not normalise"""
        self.scales: list[Node] = []
        """[1, C, 1, 1] of each modulation so far"""
        self.shifts: list[Node] = []

    def modulated(self, x: Node, index: int) -> Node:
        gamma, beta = self._parts[index]
        mean = _average(x)
        away = nodes.subtract(x, mean)
        variance = _average(nodes.multiply(away, away))
        sigma = nodes.sqrt(nodes.add(variance, nodes.constant(self._floors[index])))
        scale = nodes.divide(gamma, sigma)
        shift = nodes.subtract(beta, nodes.multiply(mean, scale))
        self.scales.append(scale)
        self.shifts.append(shift)
        return nodes.add(nodes.multiply(x, scale), shift)


def _starts(size: Size) -> list[int]:
    """Index of the first channel of each modulation."""
    return [sum(size.widths[:index]) for index in range(len(size.widths))]


def _picked(vector: Node, start: int, width: int) -> Node:
    """Channels start .. start + width - 1 of [1, C, 1, 1].

    By a convolution with ones and zeros, which is exact, and not by a slice: what comes of a
    convolution has channels last, as the pictures that it scales, and those then need no copy.
    """
    chosen = np.zeros((width, vector.get_output_shape(0)[1], 1, 1), np.float32)
    chosen[np.arange(width), start + np.arange(width)] = 1
    return _convolution(vector, chosen, 1)


def _average(x: Node) -> Node:
    """[N, C, h, w] to [1, C, 1, 1]: a first estimate and the average of what differs from it.

    Partial sums of differences stay small, and so does what rounding them loses.
    """
    first = _averaged(x)
    return nodes.add(first, _averaged(nodes.subtract(x, first)))


def _averaged(x: Node) -> Node:
    for axis in (3, 2, 0):
        x = nodes.reduce_mean(x, nodes.constant(np.array([axis])), keep_dims=True)
    return x


def _convolution(x: Node, kernel: Array, stride: int) -> Node:
    step, none, ones = [stride, stride], [0, 0], [1, 1]
    return nodes.convolution(x, nodes.constant(kernel), step, none, none, ones)


def _biased(x: Node, bias: Array | None) -> Node:
    return x if bias is None else nodes.add(x, nodes.constant(bias.reshape(1, -1, 1, 1)))
