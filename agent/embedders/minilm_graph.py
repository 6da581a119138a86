"""The ONNX graph of a BERT sentence encoder. As a program: path of the weights in, graph out.

The graph holds no weights: it names where each lies in the safetensors file, which onnxruntime then
maps into memory. `onnx` takes 26 MB once imported, so `minilm` runs this in a process of its own.
"""

import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPSET = 20
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


def build(weights: Path) -> bytes:
    """Return the graph: one text's token ids in, the mean of its word vectors out, of length 1."""
    from onnx import TensorProto, helper

    made = _Graph(weights)
    made.encoder()
    graph = helper.make_graph(
        made.nodes,
        "minilm",
        inputs=[helper.make_tensor_value_info(IDS, TensorProto.INT64, ["tokens"])],
        outputs=[helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, [WIDTH])],
        initializer=made.initializers,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    content: bytes = model.SerializeToString()
    return content


class _Graph:
    """Collects nodes and initializers."""

    def __init__(self, weights: Path) -> None:
        self._file = weights.name
        self._stored = stored_tensors(weights)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._known: set[str] = set()

    def encoder(self) -> None:
        """Lay out the whole model. Every tensor is two-dimensional: one text, (tokens, width)."""
        self._constant("head_shape", [0, HEADS, WIDTH // HEADS])
        self._constant("flat_shape", [0, WIDTH])
        self._constant("scale", (WIDTH // HEADS) ** -0.5)
        hidden = self._embeddings()
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}")
        self._constant("first_axis", [0])
        mean = self._node("ReduceMean", hidden, "first_axis", keepdims=0)
        length = self._node("ReduceL2", mean, "first_axis", keepdims=1)
        self._node("Div", mean, length, output=VECTOR)

    def _embeddings(self) -> str:
        words = self._node("Gather", self._weight("embeddings.word_embeddings.weight"), IDS)
        self._constant("zero", [0])
        self._constant("second_axis", [0])
        tokens = self._node("Shape", IDS)
        table = self._weight("embeddings.position_embeddings.weight")
        positions = self._node("Slice", table, "zero", tokens, "second_axis")
        kinds = self._weight("embeddings.token_type_embeddings.weight")
        self._constant("kind", 0)
        kind = self._node("Gather", kinds, "kind")
        summed = self._node("Add", self._node("Add", words, positions), kind)
        return self._norm(summed, "embeddings.LayerNorm")

    def _layer(self, hidden: str, name: str) -> str:
        attended = self._attention(hidden, f"{name}.attention.self")
        projected = self._linear(attended, f"{name}.attention.output.dense")
        hidden = self._norm(
            self._node("Add", projected, hidden), f"{name}.attention.output.LayerNorm"
        )
        inner = self._node("Gelu", self._linear(hidden, f"{name}.intermediate.dense"))
        outer = self._linear(inner, f"{name}.output.dense")
        return self._norm(self._node("Add", outer, hidden), f"{name}.output.LayerNorm")

    def _attention(self, hidden: str, name: str) -> str:
        query = self._heads(self._linear(hidden, f"{name}.query"), [1, 0, 2])
        key = self._heads(self._linear(hidden, f"{name}.key"), [1, 2, 0])
        value = self._heads(self._linear(hidden, f"{name}.value"), [1, 0, 2])
        scores = self._node("Mul", self._node("MatMul", query, key), "scale")
        mixed = self._node("MatMul", self._node("Softmax", scores, axis=-1), value)
        return self._node("Reshape", self._node("Transpose", mixed, perm=[1, 0, 2]), "flat_shape")

    def _heads(self, flat: str, order: list[int]) -> str:
        return self._node("Transpose", self._node("Reshape", flat, "head_shape"), perm=order)

    def _linear(self, hidden: str, name: str) -> str:
        weight, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._node("Gemm", hidden, weight, bias, transB=1)

    def _norm(self, hidden: str, name: str) -> str:
        scale, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._node("LayerNormalization", hidden, scale, bias, epsilon=EPSILON)

    def _node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        result = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

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
            where = {"location": self._file, "offset": stored.offset, "length": stored.length}
            for key, value in where.items():
                entry = tensor.external_data.add()
                entry.key, entry.value = key, str(value)
            self.initializers.append(tensor)
        return name

    def _constant(self, name: str, value: float | list[int]) -> None:
        import numpy as np
        from onnx import numpy_helper

        kind = np.float32 if isinstance(value, float) else np.int64
        self.initializers.append(numpy_helper.from_array(np.array(value, dtype=kind), name))


if __name__ == "__main__":
    sys.stdout.buffer.write(build(Path(sys.argv[1])))
