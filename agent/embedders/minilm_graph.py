"""The ONNX graph of a BERT sentence encoder, in the 32-bit numbers of its weights.

The graph holds no weights: it names where each lies in the safetensors file, which onnxruntime then
maps into memory. `onnx` takes 26 MB once imported, so `minilm` builds in a process of its own.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET, CONTRIBUTED = 20, "com.microsoft"
LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
IDS, VECTOR = "input_ids", "sentence_embedding"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTensor:
    """Where a tensor of 32-bit floats lies in the file."""

    shape: tuple[int, ...]
    offset: int
    length: int


def stored_tensors(weights: Path) -> dict[str, StoredTensor]:
    """Read the header of a safetensors file. Raises ValueError if it is none."""
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        if size > weights.stat().st_size:
            raise ValueError(f"{weights} is no safetensors file")
        header = json.loads(file.read(size))
    start = 8 + size
    return {
        name: StoredTensor(
            shape=tuple(entry["shape"]),
            offset=start + entry["data_offsets"][0],
            length=entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


class Encoder:
    """Collects nodes and initializers of one text's way: token ids in, a vector of length 1 out.

    Every tensor is two-dimensional, (tokens, width).
    """

    precision = "fp32"

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._stored = stored_tensors(weights)
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._known: set[str] = set()
        self.inputs: dict[str, str] = {}
        """The tensor that is multiplied, by name of the (first) linear layer that takes it."""

    def model(self, *, with_inputs: bool = False) -> bytes:
        """Lay out the whole model; on wish what its linear layers take are outputs as well."""
        from onnx import TensorProto, helper

        self._encoder()
        outputs = [VECTOR, *(self.inputs.values() if with_inputs else ())]
        floats = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            f"minilm-{self.precision}",
            inputs=[helper.make_tensor_value_info(IDS, TensorProto.INT64, ["tokens"])],
            outputs=[helper.make_tensor_value_info(name, floats, None) for name in outputs],
            initializer=self._initializers,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIBUTED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        content: bytes = model.SerializeToString()
        return content

    def linear(self, hidden: str, *names: str) -> list[str]:
        """Put one tensor through linear layers."""
        self.inputs[names[0]] = hidden
        return [self.node("Gemm", hidden, *self._parameters(name), transB=1) for name in names]

    def feed_forward(self, hidden: str, inner: str, outer: str) -> str:
        """Put one tensor through the two linear layers with the bend between them."""
        (wide,) = self.linear(hidden, inner)
        (narrow,) = self.linear(self.node("Gelu", wide), outer)
        return narrow

    def _encoder(self) -> None:
        self.constant("first_axis", np.array([0]))
        hidden = self._embeddings()
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        mean = self.node("ReduceMean", hidden, "first_axis", keepdims=0)
        length = self.node("ReduceL2", mean, "first_axis", keepdims=1)
        self.node("Div", mean, length, output=VECTOR)

    def _embeddings(self) -> str:
        words = self.node("Gather", self._weight("embeddings.word_embeddings.weight"), IDS)
        table = self._weight("embeddings.position_embeddings.weight")
        tokens = self.node("Shape", IDS)
        positions = self.node("Slice", table, "first_axis", tokens, "first_axis")
        kinds = self._weight("embeddings.token_type_embeddings.weight")
        kind = self.node("Gather", kinds, self.constant("kind", np.array(0)))
        summed = self.node("Add", self.node("Add", words, positions), kind)
        return self._norm(summed, "embeddings.LayerNorm")

    def _layer(self, hidden: str, name: str) -> str:
        attended = self._attention(hidden, f"{name}.attention.self")
        (projected,) = self.linear(attended, f"{name}.attention.output.dense")
        hidden = self._norm(
            self.node("Add", projected, hidden), f"{name}.attention.output.LayerNorm"
        )
        fed = self.feed_forward(hidden, f"{name}.intermediate.dense", f"{name}.output.dense")
        return self._norm(self.node("Add", fed, hidden), f"{name}.output.LayerNorm")

    def _attention(self, hidden: str, name: str) -> str:
        parts = self.linear(hidden, *(f"{name}.{part}" for part in ("query", "key", "value")))
        batch = [self.node("Unsqueeze", part, "first_axis") for part in parts]
        mixed = self.node("MultiHeadAttention", *batch, domain=CONTRIBUTED, num_heads=HEADS)
        return self.node("Squeeze", mixed, "first_axis")

    def _norm(self, hidden: str, name: str) -> str:
        return self.node("LayerNormalization", hidden, *self._parameters(name), epsilon=EPSILON)

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        result = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a tensor that the graph itself holds; one of that name is added once."""
        from onnx import numpy_helper

        if name not in self._known:
            self._known.add(name)
            self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def stored(self, name: str) -> NDArray[np.float32]:
        """Return the numbers of a tensor, mapped from the file."""
        tensor = self._stored[name]
        return np.memmap(self._weights, "<f4", "r", tensor.offset, tensor.shape)

    def _parameters(self, name: str) -> Sequence[str]:
        return self._weight(f"{name}.weight"), self._weight(f"{name}.bias")

    def _weight(self, name: str) -> str:
        from onnx import TensorProto

        if name not in self._known:
            self._known.add(name)
            stored = self._stored[name]
            tensor = TensorProto(
                name=name,
                data_type=TensorProto.FLOAT,
                dims=stored.shape,
                data_location=TensorProto.EXTERNAL,
            )
            where = {
                "location": self._weights.name,
                "offset": stored.offset,
                "length": stored.length,
            }
            for key, value in where.items():
                entry = tensor.external_data.add()
                entry.key, entry.value = key, str(value)
            self._initializers.append(tensor)
        return name
