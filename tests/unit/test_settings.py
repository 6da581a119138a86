"""Settings: read once, every fault named, every key described."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent import settings
from agent.errors import SettingsError
from agent.settings import Settings, known_keys, load, origins, unknown_variables, value_of

EXAMPLE = Path(__file__).parents[2] / "deploy/config.example.toml"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a settings file and have it used."""

    def write(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text)
        monkeypatch.setenv("CORTICAL_CONFIG", os.fspath(file))
        return file

    return write


def test_without_a_file_and_variables_every_value_is_the_default(empty_home: Path) -> None:
    loaded = load()
    assert set(origins().values()) == {"default"}
    assert loaded.data_dir == empty_home / ".local/share/cortical"
    assert loaded.cache_dir == empty_home / ".cache/cortical"
    assert loaded.database.url is None


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(
    written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written("collection = 'file'\nlog_level = 'info'\n[limits]\nrounds = 3\npassages = 4\n")
    monkeypatch.setenv("CORTICAL_COLLECTION", "variable")
    monkeypatch.setenv("CORTICAL_LIMITS__ROUNDS", "5")
    loaded = load()
    assert (loaded.collection, loaded.log_level) == ("variable", "info")
    assert (loaded.limits.rounds, loaded.limits.passages) == (5, 4)
    assert load(collection="flag").collection == "flag"
    found = origins()
    assert found["collection"] == "environment CORTICAL_COLLECTION"
    assert found["limits.rounds"] == "environment CORTICAL_LIMITS__ROUNDS"
    assert found["limits.passages"] == f"file {file}"
    assert found["limits.answer_tokens"] == "default"


def test_the_usual_file_is_read_if_it_is_there(empty_home: Path) -> None:
    assert settings.file_in_use() is None
    folder = empty_home / ".config/cortical"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("collection = 'usual'")
    assert load().collection == "usual"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().collection = "other"


def test_the_tilde_is_the_home_directory(written: Any, empty_home: Path) -> None:
    written("data_dir = '~/d'\n[files]\nroots = ['~/papers', '/srv']\n")
    loaded = load()
    assert loaded.data_dir == empty_home / "d"
    assert loaded.files.roots == (empty_home / "papers", Path("/srv"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nope = 1", "There is no setting `nope`."),
        ("datadir = '/x'", "There is no setting `datadir`. Did you mean `data_dir`?"),
        ("[ollama]\nmodle = 'x'", "`ollama.modle`. Did you mean `ollama.model`?"),
        ("[limits]\nrounds = 1", "Setting `limits.rounds` = 1: Input should be greater than or"),
        ("[limits]\npassages = 51", "Setting `limits.passages` = 51: Input should be less than"),
        ("[limits]\nrounds = 'six'", "Setting `limits.rounds` = 'six': Input should be a valid"),
        ("collection = ''", "Setting `collection` = '': String should have at least 1 character"),
        ("log_level = 'loud'", "Input should be 'debug', 'info', 'warning' or 'error'"),
        ("ollama = 3", "Setting `ollama` = 3"),
        ("data_dir = '~nobody-of-that-name/x'", "Setting `data_dir`"),
        ("a = ", "is not valid TOML"),
        ("[files]\n[files]", "is not valid TOML"),
    ],
)
def test_a_fault_in_the_file_is_named_with_the_file(written: Any, text: str, said: str) -> None:
    file = written(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_all_faults_are_named_at_once(written: Any) -> None:
    written("nope = 1\n[limits]\nrounds = 1\n")
    with pytest.raises(SettingsError, match=r"(?s)limits\.rounds.*nope"):
        load()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CORTICAL_LOG_LEVEL", "loud", "`log_level` = 'loud'"),
        ("CORTICAL_OLLAMA__MODELL", "x", "`ollama.modell`. Did you mean `ollama.model`?"),
        ("CORTICAL_LIMITS__ROUNDS", "six", "`limits.rounds` = 'six'"),
        ("CORTICAL_TOOLS", "/a.py:T", "CORTICAL_TOOLS = '/a.py:T'"),
        ("CORTICAL_FILES__ROOTS", "/srv", "CORTICAL_FILES__ROOTS = '/srv'"),
        ("CORTICAL_DATABASE", "postgresql:///x", "CORTICAL_DATABASE = 'postgresql:///x'"),
        ("CORTICAL_GRAPHS", "/a.py:build", "CORTICAL_GRAPHS = '/a.py:build'"),
    ],
)
def test_a_fault_in_a_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORTICAL_OLLAMA", "{}")
    with pytest.raises(SettingsError) as caught:
        load()
    assert said in str(caught.value)
    assert "CORTICAL_OLLAMA " not in str(caught.value), "it is valid"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "named.toml"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("CORTICAL_CONFIG", os.fspath(file))
    with pytest.raises(SettingsError, match=re.escape(os.fspath(file))):
        load()
    monkeypatch.setenv("CORTICAL_CONFIG", os.fspath(tmp_path))
    with pytest.raises(SettingsError, match="directory"):
        load()


def test_tables_and_lists_may_be_set_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORTICAL_TOOLS", '["/a.py:T"]')
    monkeypatch.setenv("CORTICAL_DATABASE", '{"url": "postgresql:///x"}')
    monkeypatch.setenv("CORTICAL_GRAPHS__TITLES", "/a.py:build")
    loaded = load()
    assert loaded.tools == ("/a.py:T",)
    assert loaded.database.url == "postgresql:///x"
    assert loaded.graphs == {"titles": "/a.py:build"}
    found = origins()
    assert found["database.url"] == "environment CORTICAL_DATABASE"
    assert found["graphs"] == "environment CORTICAL_GRAPHS__TITLES"


def test_variables_that_mean_nothing_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CORTICAL_NOPE", "CORTICAL_COLLECTIONS", "CORTICAL_TEST_OLLAMA_URL"):
        monkeypatch.setenv(name, "1")
    for name in ("CORTICAL_COLLECTION", "CORTICAL_LIMITS__ROUNDS", "CORTICAL_CONFIG"):
        monkeypatch.setenv(name, "3")
    assert unknown_variables() == ["CORTICAL_COLLECTIONS", "CORTICAL_NOPE"]


def fields_of(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= fields_of(inner, f"{name}.")
        else:
            found[f"{prefix}{name}"] = field
    return found


FIELDS = fields_of(Settings)
KEY_LINE = re.compile(r"(?P<off># )?(?P<key>[a-z_]+) = (?P<value>.+)")


def described() -> dict[str, tuple[bool, str]]:
    """Return each key of the example with whether it is commented out, and its comment."""
    found: dict[str, tuple[bool, str]] = {}
    table, comment = "", ""
    for line in EXAMPLE.read_text().splitlines():
        match = KEY_LINE.fullmatch(line)
        if line.startswith("["):
            table = line.strip("[]") + "."
            if table == "graphs.":
                found["graphs"] = False, comment
        elif match is not None:
            found[f"{table}{match['key']}"] = bool(match["off"]), comment
        comment = f"{comment} {line.lstrip('# ')}" if line.startswith("#") and not match else ""
    return found


def test_the_example_describes_every_key_and_no_other() -> None:
    assert set(FIELDS) == set(known_keys())
    assert set(described()) - {"graphs.titles"} == set(FIELDS)
    assert [key for key, (_, comment) in described().items() if not comment] == ["graphs.titles"]


def test_the_example_loads_and_every_value_in_it_is_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = load()
    monkeypatch.setenv("CORTICAL_CONFIG", os.fspath(EXAMPLE))
    assert load() == plain
    told = {key for key, origin in origins().items() if origin.startswith("file")}
    off = {key for key, (commented, _) in described().items() if commented}
    assert told == set(FIELDS) - off
    for key in off & set(FIELDS):
        assert value_of(plain, key) is None or key in ("data_dir", "cache_dir")


def test_the_examples_that_are_commented_out_load_too(written: Any) -> None:
    lines = EXAMPLE.read_text().splitlines()
    written("\n".join(KEY_LINE.sub(r"\g<key> = \g<value>", line) for line in lines))
    plain = load()
    assert plain.database.url is not None
    assert plain.ollama.embedding_model is not None
    assert plain.graphs == {"titles": "docs/examples/titles.py:build"}
    assert plain.data_dir == Settings.model_fields["data_dir"].get_default(
        call_default_factory=True
    )
    assert plain.cache_dir.parts[-2:] == (".cache", "cortical")


@pytest.mark.parametrize("key", FIELDS)
def test_the_limits_of_a_key_stand_in_its_comment(key: str) -> None:
    _, comment = described()[key]
    words = {"ge": "At least", "gt": "More than", "le": "at most", "min_length": "At least"}
    for limit in FIELDS[key].metadata:
        for name, said in words.items():
            bound = getattr(limit, name, None)
            if bound is not None:
                assert f"{said} {bound}" in comment
    for choice in get_args(FIELDS[key].annotation):
        if isinstance(choice, str):
            assert f'"{choice}"' in comment


def test_the_example_is_toml_whose_comments_fit_a_terminal() -> None:
    text = EXAMPLE.read_text()
    assert tomllib.loads(text)
    assert max(map(len, text.splitlines())) <= 100


def test_a_password_in_an_address_is_not_shown() -> None:
    url = "postgresql://ada:s3cret@db.example/cortical"
    loaded = settings.Settings(database=settings.DatabaseSettings(url=url))
    shown = settings.value_of(loaded, "database.url")
    assert shown == "postgresql://ada:***@db.example/cortical"


def loaded_or_refused() -> str:
    """Return all that is said of the settings: their values, or what is wrong with them."""
    try:
        return repr(load())
    except SettingsError as error:
        return str(error)


def test_a_key_is_never_shown(written: Any) -> None:
    written("[openai]\napi_key = 'sk-1'\n")
    loaded = load()

    assert settings.value_of(loaded, "openai.api_key") == "***"
    assert loaded.openai.key() == "sk-1"
    assert "sk-1" not in loaded_or_refused()


@pytest.mark.parametrize("text", ["openai = 'sk-1'\n", "[openai.api_key]\na = 'sk-1'\n"])
def test_a_key_in_the_wrong_place_is_not_shown_either(written: Any, text: str) -> None:
    written(text)

    assert "sk-1" not in loaded_or_refused()
    assert "Setting `openai" in loaded_or_refused()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORTICAL_OPENAI", '{"api_key": "sk-1", '),
        ("CORTICAL_OPENAI", '["sk-1"]'),
        ("CORTICAL_OPENAI__API_KEY", '{"a": "sk-1"}'),
        ("CORTICAL_OPENAI__API_KEYS", "sk-1"),
    ],
)
def test_a_key_in_a_variable_is_not_shown_in_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert "sk-1" not in loaded_or_refused()
    assert "openai" in loaded_or_refused().lower()


def test_a_key_is_read_from_its_file_unless_it_is_given(written: Any, tmp_path: Path) -> None:
    file = tmp_path / "openai.key"
    file.write_text("sk-2\n")
    written(f"[openai]\napi_key_file = '{file}'\n")
    assert load().openai.key() == "sk-2"
    written(f"[openai]\napi_key_file = '{file}'\napi_key = 'sk-1'\n")
    assert load().openai.key() == "sk-1"
    file.unlink()
    written(f"[openai]\napi_key_file = '{file}'\n")
    with pytest.raises(SettingsError, match=r"openai\.key.*api_key_file"):
        load().openai.key()
