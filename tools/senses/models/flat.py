"""All weights of a torch module in one buffer, copied to a device and back as one block.

A module of a few thousand tensors that is moved tensor by tensor pays for each copy and each
allocation. torch rounds what it locks itself up to a power of two, so the host has an anonymous
mapping of just the bytes, locked by CUDA where the device is a card.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tools.senses.errors import DeviceError

ALIGNMENT = 256
"""Bytes between which tensors begin: what CUDA's own allocator keeps to."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """A tensor's place in the buffer."""

    holders: Sequence[Any]
    """Tensors that share the storage; their `data` are set."""
    start: int
    bytes: int
    dtype: Any
    shape: tuple[int, ...]


class FlatWeights:
    """Parameters and buffers of modules, on the host and at times on a device as well.

    The modules go on being used as they are. Tensors that are tied stay so. `bytes` is what each
    copy takes.
    """

    def __init__(self, modules: Sequence[Any], *, lock: bool) -> None:
        """Copy the tensors of `torch.nn.Module`s into one buffer; `lock` its pages for a card."""
        self._slots, self.bytes = _laid_out(modules)
        self._modules = tuple(modules)
        self._lock = lock
        self._host: Any = _mapped(self.bytes)
        self._device: Any = None
        if lock:
            _locked(self._host)
        for slot in self._slots:
            source = slot.holders[0].data
            target = _view(self._host, slot)
            target.copy_(source)
            _point(slot, target)

    @property
    def device_bytes(self) -> int:
        """What the copy on a device takes now."""
        return 0 if self._device is None else self.bytes

    def bring(self, device: str) -> None:
        """Copy to a device and let the modules use that. Raises DeviceError."""
        import torch

        if self._device is not None:
            return
        try:
            block = torch.empty(self.bytes, dtype=torch.uint8, device=device)
            block.copy_(self._host, non_blocking=self._lock)
            if block.is_cuda:
                torch.cuda.synchronize(block.device)
        except (RuntimeError, AssertionError) as error:
            raise DeviceError(
                f"{self.bytes} bytes of weights cannot be copied to {device}: {_first(error)}"
            ) from error
        self._device = block
        self._use(block)

    def leave(self) -> None:
        """Let the modules use the host's copy again, and free the device's.

        Tensors that a module made for itself on the device are taken to the host too.
        """
        import torch

        if self._device is None:
            return
        cuda = self._device.is_cuda
        self._use(self._host)
        self._device = None
        if cuda:
            for module in self._modules:
                bring_home(module)
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Free both copies; the modules are of no use afterwards."""
        import torch

        self.leave()
        nothing = torch.empty(0)
        for slot in self._slots:
            for holder in slot.holders:
                holder.data = nothing.to(slot.dtype)
        if self._lock:
            _unlocked(self._host)
        self._slots = ()
        self._modules = ()
        self._host = None

    def _use(self, block: Any) -> None:
        for slot in self._slots:
            _point(slot, _view(block, slot))


def bring_home(module: Any) -> None:
    """Move to the host what modules keep beside their parameters and buffers: caches, tables."""
    for part in module.modules():
        for name, value in list(vars(part).items()):
            if name not in ("_parameters", "_buffers", "_modules"):
                moved = _home(value)
                if moved is not value:
                    setattr(part, name, moved)


def _home(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return value.cpu() if value.is_cuda else value
    if isinstance(value, dict):
        for key, one in value.items():
            value[key] = _home(one)
    elif isinstance(value, list):
        value[:] = [_home(one) for one in value]
    return value


def _laid_out(modules: Sequence[Any]) -> tuple[tuple[_Slot, ...], int]:
    """Return where each tensor goes, and how many bytes there are; tied ones have one place."""
    together: dict[tuple[Any, ...], list[Any]] = {}
    for tensor in _tensors(modules):
        data = tensor.data
        alone = (id(tensor),) if data.numel() == 0 else ()
        key = (data.data_ptr(), tuple(data.shape), data.stride(), data.dtype, *alone)
        holders = together.setdefault(key, [])
        if not any(tensor is one for one in holders):
            holders.append(tensor)
    slots, end = [], 0
    for holders in together.values():
        data = holders[0].data
        size = data.numel() * data.element_size()
        slots.append(_Slot(tuple(holders), end, size, data.dtype, tuple(data.shape)))
        end += -(-size // ALIGNMENT) * ALIGNMENT
    return tuple(slots), end


def _tensors(modules: Sequence[Any]) -> Iterator[Any]:
    for module in modules:
        for part in module.modules():
            yield from (one for one in part._parameters.values() if one is not None)
            yield from (one for one in part._buffers.values() if one is not None)


def _mapped(size: int) -> Any:
    import torch

    return torch.frombuffer(mmap.mmap(-1, max(size, 1)), dtype=torch.uint8)[:size]


def _view(block: Any, slot: _Slot) -> Any:
    return block[slot.start : slot.start + slot.bytes].view(slot.dtype).view(slot.shape)


def _point(slot: _Slot, target: Any) -> None:
    for holder in slot.holders:
        holder.data = target


def _locked(host: Any) -> None:
    import torch

    told = torch.cuda.cudart().cudaHostRegister(host.data_ptr(), host.numel(), 0)
    if int(told) != 0:
        raise DeviceError(
            f"{host.numel()} bytes of host memory cannot be locked for the card (CUDA error "
            f"{int(told)}). Raise the limit of locked memory (ulimit -l), or set "
            "senses.locked_bytes lower."
        )


def _unlocked(host: Any) -> None:
    import torch

    torch.cuda.cudart().cudaHostUnregister(host.data_ptr())


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
