"""SAM2 by its real library, small and random: its outlines mean nothing, all else is real."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from memory.places import Box
from tools.senses import heap
from tools.senses.background import GivenUpError, Patience
from tools.senses.base import Prompt, Region
from tools.senses.errors import DeviceError, EngineError, WeightsError
from tools.senses.models.sam2 import CONFIG, LONGEST_SIDE, Grid, Sam2Model
from tools.senses.testing.folder import described

EVERYTHING = Grid(
    points_per_side=2,
    points_per_batch=2,
    least_score=-1.0,
    least_stability=-1.0,
    most_overlap=1.0,
)
"""Random weights are sure of nothing."""

Draw = Callable[[int, int], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def model(sam2: Any) -> Sam2Model:
    model = Sam2Model(sam2.folder, sam2.manifest, grid=EVERYTHING)
    model.bring("cpu")
    return model


def same(left: Region, right: Region) -> bool:
    return left.box == right.box and np.array_equal(left.mask, right.mask)


def area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def test_all_regions_come_the_largest_first_each_with_its_outline(
    model: Sam2Model, picture: Draw
) -> None:
    regions = model.regions(picture(128, 96), Patience())
    assert regions
    assert [one.pixels for one in regions] == sorted((r.pixels for r in regions), reverse=True)
    for one in regions:
        assert one.mask.shape == (one.box.bottom - one.box.top, one.box.right - one.box.left)
        assert one.pixels == one.mask.sum() > 0
        assert 0 <= one.box.left < one.box.right <= 128
        assert 0 <= one.box.top < one.box.bottom <= 96
        for edge in (one.mask[0], one.mask[-1], one.mask[:, 0], one.mask[:, -1]):
            assert edge.any()


def test_regions_that_are_nearly_the_same_are_left_out(sam2: Any, picture: Draw) -> None:
    strict = Grid(points_per_side=2, points_per_batch=2, least_score=-1.0, least_stability=-1.0)
    model = Sam2Model(sam2.folder, sam2.manifest, grid=strict)
    model.bring("cpu")
    regions = model.regions(picture(128, 96), Patience())
    for number, one in enumerate(regions):
        for other in regions[:number]:
            width = min(one.box.right, other.box.right) - max(one.box.left, other.box.left)
            height = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
            both = max(width, 0) * max(height, 0)
            assert both <= 0.71 * (area(one.box) + area(other.box) - both)


def test_a_model_that_is_sure_of_nothing_finds_nothing(sam2: Any, picture: Draw) -> None:
    model = Sam2Model(sam2.folder, sam2.manifest, grid=Grid(points_per_side=2, least_score=1.1))
    model.bring("cpu")
    assert model.regions(picture(64, 64), Patience()) == ()


def test_each_prompt_gets_a_region_in_its_order(model: Sam2Model, picture: Draw) -> None:
    image = picture(128, 96)
    point = Prompt(points=[(40.0, 30.0)], inside=[True])
    two = Prompt(points=[(40.0, 30.0), (100.0, 80.0)], inside=[True, False])
    box = Prompt(box=Box(left=32, top=24, right=64, bottom=48))
    both = Prompt(points=[(40.0, 30.0)], inside=[True], box=box.box)
    together = model.region(image, [point, two, box, both], Patience())
    alone = [model.region(image, [one], Patience())[0] for one in (point, two, box, both)]
    assert all(same(left, right) for left, right in zip(together, alone, strict=True))


def test_a_large_picture_costs_no_more_and_its_regions_are_in_its_own_pixels(
    model: Sam2Model, picture: Draw
) -> None:
    prompt = Prompt(box=Box(left=1000, top=500, right=2000, bottom=1000))
    large = model.region(picture(4096, 2048), [prompt], Patience())[0]
    near = Prompt(box=Box(left=250, top=125, right=500, bottom=250))
    small = model.region(picture(1024, 512), [near], Patience())[0]
    assert large.mask.shape[1] <= LONGEST_SIDE
    assert large.box == Box(
        left=small.box.left * 4,
        top=small.box.top * 4,
        right=small.box.right * 4,
        bottom=small.box.bottom * 4,
    )
    assert large.pixels == small.pixels * 16


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (Prompt(), "points at nothing"),
        (Prompt(points=[(1.0, 1.0)], inside=[False]), "points at nothing"),
        (Prompt(points=[(1.0, 1.0)]), "1 points and says of 0"),
        (Prompt(points=[(1.0, 200.0)], inside=[True]), "beyond a picture of 128 x 96"),
        (Prompt(points=[(float("nan"), 2.0)], inside=[True]), "beyond a picture of 128 x 96"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(
    model: Sam2Model, picture: Draw, prompt: Prompt, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        model.region(picture(128, 96), [prompt], Patience())


class OfTwoBatches(Patience):
    """Runs out when it is asked for the third time."""

    asked = 0

    def check(self) -> None:
        self.asked += 1
        if self.asked == 3:
            self.end()
        super().check()


def test_work_that_nobody_waits_for_ends_between_two_batches(
    model: Sam2Model, picture: Draw
) -> None:
    patience = OfTwoBatches()
    with pytest.raises(GivenUpError):
        model.regions(picture(64, 64), patience)
    assert patience.asked == 3
    assert model.regions(picture(64, 64), Patience())


def test_nothing_of_a_picture_is_kept(model: Sam2Model, picture: Draw) -> None:
    model.regions(picture(64, 64), Patience())
    model.region(picture(64, 64), [Prompt(points=[(3.0, 3.0)], inside=[True])], Patience())
    for predictor in (model._predictor, model._generator.predictor):
        assert predictor._features is None


def test_weights_are_read_as_they_were_saved(sam2: Any) -> None:
    model = Sam2Model(sam2.folder, sam2.manifest)
    assert model.host_bytes == 0
    model.stage()
    saved = torch.load(sam2.folder / "small.pt", weights_only=True)["model"]
    loaded = model._predictor.model.state_dict()
    assert loaded.keys() < saved.keys()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in loaded.items())
    assert sum(one.nbytes for one in loaded.values()) <= model.host_bytes
    model.drop()
    assert model.host_bytes == 0


def test_a_picture_needs_no_weights_for_films(sam2: Any) -> None:
    model = Sam2Model(sam2.folder, sam2.manifest)
    model.stage()
    assert not [name for name in model._predictor.model.state_dict() if "memory_" in name]


def spoil(folder: Path, **changes: Any) -> None:
    path = folder / "small.pt"
    told = torch.load(path, weights_only=True)
    for name, value in changes.items():
        if value is None:
            del told["model"][name]
        else:
            told["model"][name] = value
    torch.save(told, path)


BIAS = "image_encoder.trunk.patch_embed.proj.bias"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({BIAS: None}, f"no {BIAS}"),
        ({"surplus": torch.zeros(1)}, "surplus, which it has not"),
        ({BIAS: torch.zeros(3)}, rf"{BIAS} of shape \(3,\), not \(16,\)"),
        ({BIAS: 5}, f"holds '{BIAS}', which is no weight"),
    ],
)
def test_weights_of_another_model_are_refused(
    sam2_copy: Any, changes: dict[str, Any], words: str
) -> None:
    spoil(sam2_copy.folder, **changes)
    model = Sam2Model(sam2_copy.folder, sam2_copy.manifest)
    with pytest.raises(WeightsError, match=words) as refused:
        model.stage()
    assert "small.pt" in str(refused.value)
    assert model.host_bytes == 0
    assert model._predictor is None


class Evil:
    """Would make a file, were it unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_file_that_would_run_code_is_refused(sam2_copy: Any, tmp_path: Path) -> None:
    made = tmp_path / "made"
    torch.save({"model": Evil(made)}, sam2_copy.folder / "small.pt")
    with pytest.raises(WeightsError, match=r"small\.pt is no file of weights that may be loaded"):
        Sam2Model(sam2_copy.folder, sam2_copy.manifest).stage()
    assert not made.exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_refused(sam2_copy: Any, share: float) -> None:
    path = sam2_copy.folder / "small.pt"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(WeightsError, match=r"small\.pt is no file of weights"):
        Sam2Model(sam2_copy.folder, sam2_copy.manifest).stage()


@pytest.mark.parametrize("told", [{"weights": {}}, [1, 2], {"model": {}}])
def test_a_file_without_a_model_in_it_is_refused(sam2_copy: Any, told: Any) -> None:
    torch.save(told, sam2_copy.folder / "small.pt")
    with pytest.raises(WeightsError, match=r"small\.pt holds no weights where they have to be"):
        Sam2Model(sam2_copy.folder, sam2_copy.manifest).stage()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "names no config of SAM2"),
        ("[]", "names no config of SAM2"),
        ('{"config": "../evil"}', "names the config '../evil', not one of sam2.1_hiera_t"),
        (
            '{"config": "sam2.1_hiera_t", "overrides": {"image_encoder._target_": 1}}',
            "sets 'image_encoder._target_' to 1",
        ),
        (
            '{"config": "sam2.1_hiera_t", "overrides": {"memory_attention": "${oc.env:HOME}"}}',
            "Only numbers",
        ),
        (
            '{"config": "sam2.1_hiera_t", "overrides": {"no_such_part": 1}}',
            "describes no model that can be built",
        ),
        ('{"config": "sam2.1_hiera_s"}', r"small\.pt is not of the model that its folder names"),
    ],
)
def test_a_config_that_is_no_config_is_refused(sam2_copy: Any, told: str, words: str) -> None:
    (sam2_copy.folder / CONFIG).write_text(told)
    with pytest.raises(WeightsError, match=words):
        Sam2Model(sam2_copy.folder, sam2_copy.manifest).stage()


def test_a_file_that_the_manifest_does_not_name_is_not_loaded(sam2_copy: Any) -> None:
    folder = sam2_copy.folder
    (folder / "small.pt").rename(folder.parent / "small.pt")
    manifest = described(folder, "sam2", "small-sam2")
    (folder.parent / "small.pt").rename(folder / "small.pt")
    with pytest.raises(WeightsError, match=r"small\.pt is no file of small-sam2"):
        Sam2Model(folder, manifest).stage()


def test_published_weights_need_no_config_and_others_do(sam2_copy: Any) -> None:
    folder = sam2_copy.folder
    (folder / CONFIG).unlink()
    with pytest.raises(WeightsError, match=r"small\.pt has none of the names .*sam2\.1_hiera_tiny"):
        Sam2Model(folder, described(folder, "sam2", "small-sam2")).stage()
    (folder / "small.pt").rename(folder / "sam2.1_hiera_tiny.pt")
    with pytest.raises(WeightsError, match=r"tiny\.pt is not of the model .* of shape"):
        Sam2Model(folder, described(folder, "sam2", "small-sam2")).stage()


def test_a_model_that_was_not_brought_does_nothing(sam2: Any, picture: Draw) -> None:
    with pytest.raises(EngineError, match="has not been brought"):
        Sam2Model(sam2.folder, sam2.manifest).regions(picture(64, 64), Patience())


def test_a_device_that_is_not_there_leaves_the_model_staged(sam2: Any) -> None:
    model = Sam2Model(sam2.folder, sam2.manifest)
    with pytest.raises(DeviceError, match="to nowhere"):
        model.bring("nowhere")
    assert model.host_bytes > 0
    model.bring("cpu")


def test_the_answer_is_the_same_after_leaving_and_coming_back(sam2: Any, picture: Draw) -> None:
    prompt = Prompt(points=[(40.0, 30.0)], inside=[True])
    model = Sam2Model(sam2.folder, sam2.manifest)
    model.bring("cpu")
    before = model.region(picture(128, 96), [prompt], Patience())[0]
    model.leave()
    model.bring("cpu")
    assert same(before, model.region(picture(128, 96), [prompt], Patience())[0])
    model.drop()
    model.bring("cpu")
    assert same(before, model.region(picture(128, 96), [prompt], Patience())[0])


def test_memory_is_back_after_fifty_cycles(
    sam2: Any, picture: Draw, resident_bytes: Callable[[], int]
) -> None:
    heap.return_large_blocks()  # as the worker does
    model = Sam2Model(sam2.folder, sam2.manifest)
    prompt = Prompt(points=[(40.0, 30.0)], inside=[True])

    def cycle() -> None:
        model.bring("cpu")
        model.region(picture(128, 96), [prompt], Patience())
        model.leave()

    for _ in range(5):
        cycle()
    home = resident_bytes()
    for _ in range(50):
        cycle()
    assert resident_bytes() < home * 1.02
    staged = model.host_bytes
    model.drop()
    assert resident_bytes() < home - staged * 0.9


def test_what_is_not_what_was_brought_is_refused(sam2_copy: Any) -> None:
    manifest = sam2_copy.manifest
    name = max(manifest.files, key=lambda one: manifest.files[one].bytes)
    with (sam2_copy.folder / name).open("r+b") as file:
        file.seek(-1_000, 2)
        file.write(b"other")
    with pytest.raises(WeightsError, match="is not what was brought"):
        Sam2Model(sam2_copy.folder, manifest).stage()
