"""Which models of word times a Whisper finds."""

import json
from pathlib import Path

from tools.senses.models import weights
from tools.senses.models.alignment import Alignment
from tools.senses.models.weights import Manifest


def put(folder: Path, *names: str) -> Manifest:
    folder.mkdir()
    files = {}
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        files[name] = {"bytes": len(name), "sha256": weights.digest(path)}
    told = {"version": 1, "variant": folder.name, "kind": "wav2vec2", "source": "", "revision": ""}
    (folder / "manifest.json").write_text(json.dumps({**told, "files": files}))
    return weights.read(folder)


def test_they_lie_in_its_folder_or_beside_it(tmp_path: Path) -> None:
    whisper = put(tmp_path / "whisper", "model.bin", "align/de/config.json", "align/README")
    put(tmp_path / "wav2vec2-en", "config.json")
    put(tmp_path / "wav2vec2-de", "config.json")
    (tmp_path / "wav2vec2-fr").mkdir()
    put(tmp_path / "kokoro", "config.json")
    found = Alignment(tmp_path / "whisper", whisper, lock=False)
    assert found.languages == {"de", "en"}
    assert found.host_bytes == 0
