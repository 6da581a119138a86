"""One buffer for all weights of a module, by real torch."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from tools.senses.errors import DeviceError
from tools.senses.models.flat import ALIGNMENT, FlatWeights


class Net(torch.nn.Module):  # type: ignore[misc]
    """Has tied weights, a buffer, a recurrent layer, half precision and an empty tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(31, 16)
        self.heard = torch.nn.LSTM(16, 8, batch_first=True, bidirectional=True)
        self.narrow = torch.nn.Linear(16, 7).half()
        self.out = torch.nn.Linear(16, 31, bias=False)
        self.out.weight = self.table.weight
        self.register_buffer("scale", torch.tensor(2.0))
        self.register_buffer("nothing", torch.empty(0))

    def forward(self, tokens: Any) -> Any:
        heard, _ = self.heard(self.table(tokens))
        return self.out(heard) * self.scale, self.narrow(heard.half())


@pytest.fixture
def net() -> Any:
    torch.manual_seed(0)
    return Net().eval()


TOKENS = [[1, 4, 30, 2]]


def outputs(net: Any) -> list[Any]:
    with torch.inference_mode():
        return [one.clone() for one in net(torch.tensor(TOKENS))]


def same(left: list[Any], right: list[Any]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def test_answers_are_the_same_wherever_the_weights_lie(net: Any) -> None:
    before = outputs(net)
    weights = FlatWeights([net], lock=False)
    on_host = outputs(net)
    weights.bring("cpu")
    brought = outputs(net)
    weights.leave()
    assert same(before, on_host)
    assert same(before, brought)
    assert same(before, outputs(net))


def test_all_weights_lie_in_the_buffer_that_was_brought(net: Any) -> None:
    weights = FlatWeights([net], lock=False)
    assert weights.device_bytes == 0
    weights.bring("cpu")
    assert weights.device_bytes == weights.bytes
    starts = {one.untyped_storage().data_ptr() for one in net.state_dict().values() if one.numel()}
    assert len(starts) == 1
    brought = starts.pop()
    weights.leave()
    home = {one.untyped_storage().data_ptr() for one in net.state_dict().values() if one.numel()}
    assert brought not in home
    assert len(home) == 1


def test_tied_weights_have_one_place_and_stay_tied(net: Any) -> None:
    own = sum(
        -(-one.numel() * one.element_size() // ALIGNMENT) * ALIGNMENT
        for one in [*net.parameters(), *net.buffers()]
    )
    weights = FlatWeights([net], lock=False)
    assert weights.bytes == own  # parameters() names the tied one once
    weights.bring("cpu")
    with torch.no_grad():
        net.table.weight[3] = 7.0
    assert torch.equal(net.out.weight[3], torch.full((16,), 7.0))


def test_modules_that_share_weights_share_their_place() -> None:
    first = torch.nn.Linear(64, 64)
    second = torch.nn.Linear(64, 64)
    second.weight = first.weight
    weights = FlatWeights([first, second], lock=False)
    assert weights.bytes == 64 * 64 * 4 + 2 * 64 * 4


def test_what_is_written_on_the_device_is_not_taken_home(net: Any) -> None:
    before = outputs(net)
    weights = FlatWeights([net], lock=False)
    weights.bring("cpu")
    with torch.no_grad():
        net.table.weight.zero_()
    weights.leave()
    assert same(before, outputs(net))


def test_a_device_that_is_not_there_is_an_error_and_changes_nothing(net: Any) -> None:
    before = outputs(net)
    weights = FlatWeights([net], lock=False)
    with pytest.raises(DeviceError, match=rf"{weights.bytes} bytes of weights .* to nowhere"):
        weights.bring("nowhere")
    assert weights.device_bytes == 0
    assert same(before, outputs(net))


GROWTH = """
import gc
from pathlib import Path
import torch
from tools.senses import heap
from tools.senses.models.flat import FlatWeights

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

heap.return_large_blocks()
net = torch.nn.Linear(2048, 2048)  # 16 MiB
weights = FlatWeights([net], lock=False)
weights.bring("cpu")
weights.leave()
gc.collect()
home = resident_bytes()
for _ in range(50):
    weights.bring("cpu")
    brought = resident_bytes() - home
    weights.leave()
grown = resident_bytes() - home
size = weights.bytes
weights.close()
del net
gc.collect()
print(brought / size, grown / home, (home - resident_bytes()) / size)
"""


def test_memory_is_back_after_fifty_cycles() -> None:
    """In a process of its own, for what others freed in this one would be taken again."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True
    )
    brought, grown, closed = map(float, done.stdout.split())
    assert brought > 0.9
    assert grown < 0.02
    assert closed > 0.9
