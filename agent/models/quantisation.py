"""What a quantised model weighs, tensor by tensor, by the rules of `llama-quantize`. Pure.

A mix is not one type: the values and the narrow side of the feed-forward of some layers get more
bits, the output layer always does, norms and routers stay in 32 bits (`llama_tensor_get_type`).
"""

from dataclasses import dataclass

from agent.executives.gguf.ggml import Tensor

MIXES = (
    "Q3_K_M",
    "Q4_0",
    "Q4_K_S",
    "Q4_K_M",
    "Q5_K_S",
    "Q5_K_M",
    "Q6_K",
    "Q8_0",
    "F16",
    "BF16",
    "MXFP4",
)
"""From the smallest. Experts in MXFP4 stay so in any mix; as a mix it keeps the rest in 16 bits."""

ERROR = 0.01
"""How far a published file may be from these rules: makers pin single tensors by a calibration."""

_BASE = {
    "Q3_K_M": "Q3_K",
    "Q4_K_S": "Q4_K",
    "Q4_K_M": "Q4_K",
    "Q5_K_S": "Q5_K",
    "Q5_K_M": "Q5_K",
    "MXFP4": "BF16",
}
_WHOLE = {"Q6_K", "Q8_0", "F16", "BF16", "MXFP4"}
_INSTEAD = {"Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""For rows that are no multiple of a super-block."""
_SUPER_BLOCK = 256
_MOE_OF_EIGHT = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a tensor stands in its model."""

    role: str
    """`output`, `embedding`, `value`, `down`, `attention_out`, `fused`, `norm`, `expert` or
    `other`."""
    layer: int = 0
    layers: int = 1
    experts: int = 0


def sized(mix: str, place: Place, dimensions: tuple[int, ...], *, value_type: str = "") -> int:
    """Return the bytes of a tensor in a mix; `value_type` is what its maker keeps values in."""
    kind = value_type if value_type and place.role == "value" else _type(mix, place)
    if kind in _INSTEAD and dimensions[0] % _SUPER_BLOCK:
        kind = _INSTEAD[kind]
    return Tensor(kind=kind, dimensions=dimensions).size_bytes or 0


def _type(mix: str, place: Place) -> str:
    base = _BASE.get(mix, mix)
    match place.role:
        case "norm":
            return "F32"
        case "expert":
            return "MXFP4"
        case _ if mix in _WHOLE:
            return base
        case "output":
            return "Q6_K"
        case "value":
            return _value(mix, base, place)
        case "down":
            return _down(mix, base, place)
        case "attention_out":
            if place.experts == _MOE_OF_EIGHT and mix in {"Q3_K_M", "Q4_K_S", "Q4_K_M"}:
                return "Q5_K"
            return "Q4_K" if mix == "Q3_K_M" else base
        case "fused":
            return {"Q3_K_M": "Q4_K", "Q4_K_M": "Q5_K", "Q5_K_M": "Q6_K"}.get(mix, base)
    return base


def _value(mix: str, base: str, place: Place) -> str:
    if place.experts == _MOE_OF_EIGHT:
        return "Q8_0"
    if mix in {"Q4_K_M", "Q5_K_M"}:
        return "Q6_K" if _more_bits(place) else base
    if mix == "Q4_K_S" and place.layer < 4:
        return "Q5_K"
    if mix == "Q3_K_M":
        return "Q5_K" if place.layer < 2 else "Q4_K"
    return base


def _down(mix: str, base: str, place: Place) -> str:
    if mix in {"Q4_K_M", "Q5_K_M"}:
        return "Q6_K" if _more_bits(place) else base
    if mix == "Q4_K_S":
        return "Q5_K" if place.layer < place.layers // 8 else base
    if mix == "Q3_K_M":
        return "Q5_K" if place.layer < place.layers // 16 else "Q4_K"
    return base


def _more_bits(place: Place) -> bool:
    """Whether a layer is in the first or the last eighth, or every third between them."""
    eighth = place.layers // 8
    middle = (place.layer - eighth) % 3 == 2
    return place.layer < eighth or place.layer >= 7 * place.layers // 8 or middle
