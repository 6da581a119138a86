"""The plain copy of as many bytes, which no loading can beat: one block, nothing else done."""

import gc
import mmap
import time
from pathlib import Path
from typing import Any


class Block:
    """A block of host memory, as large as weights and locked for the card where they are."""

    def __init__(self, size: int, device: str, *, lock: bool) -> None:
        import torch

        self._map = mmap.mmap(-1, size)
        self._host: Any = torch.frombuffer(self._map, dtype=torch.uint8)
        self._host.fill_(1)
        self._device = device
        self._lock = lock
        if lock:
            told = torch.cuda.cudart().cudaHostRegister(self._host.data_ptr(), size, 0)
            assert int(told) == 0, "the weights of the same size were locked before"

    def copied_s(self) -> float:
        """Copy it onto the device, into memory that is asked for anew; return the seconds."""
        import torch

        began = time.perf_counter()
        block = torch.empty(self._host.numel(), dtype=torch.uint8, device=self._device)
        block.copy_(self._host, non_blocking=self._lock)
        settle(self._device)
        return time.perf_counter() - began

    def read_s(self, path: Path) -> float:
        """Read a file into it and copy that onto the device; return the seconds."""
        began = time.perf_counter()
        with path.open("rb", buffering=0) as file:
            view, done = memoryview(self._map), 0
            while done < len(view) and (count := file.readinto(view[done:])):
                done += count
            view.release()
        return time.perf_counter() - began + self.copied_s()

    def close(self) -> None:
        """Free it."""
        import torch

        if self._lock:
            torch.cuda.cudart().cudaHostUnregister(self._host.data_ptr())
        self._host = None
        gc.collect()


def settle(device: str) -> None:
    """Wait until all that was asked of a device is done."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def held_bytes(device: str) -> int:
    """Return what is used: of the card by all programs, or of host memory by this process."""
    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        free, total = torch.cuda.mem_get_info(device)
        return int(total - free)
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * mmap.PAGESIZE
