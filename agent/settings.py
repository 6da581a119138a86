"""Settings: from a TOML file, then the environment (`CORTICAL_`), then flags. Read once.

Every key is described in `deploy/config.example.toml`, which a test loads.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import PlatformDirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as UnreadableVariableError

from agent.errors import SettingsError

PREFIX = "CORTICAL_"
FILE_VARIABLE = "CORTICAL_CONFIG"
_HIDDEN = "***"
_DIRS = PlatformDirs("cortical", appauthor=False)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"the home directory of {path} is not known") from error


Folder = Annotated[Path, AfterValidator(_expanded)]
"""A path in which `~` is the home directory."""


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Section):
    """Where memory lives."""

    url: str | None = None
    """PostgreSQL 16 or later with pgvector 0.8.4 or later; none: the embedded server."""


class OllamaSettings(Section):
    """The server of the full tier."""

    url: str = "http://127.0.0.1:11434"
    model: str = "qwen3:14b"
    """Executive that is taken if the server has it; else the first that can call tools."""
    embedding_model: str | None = None
    """None: the server's first embedding model, where memory has no vectors of another yet."""
    context_tokens: int = Field(default=16_384, ge=2_048)
    probe_timeout_s: float = Field(default=1.0, gt=0)
    first_token_timeout_s: float = Field(default=300.0, gt=0)
    token_timeout_s: float = Field(default=60.0, gt=0)


class OpenAiSettings(Section):
    """Any server that speaks OpenAI's protocol."""

    url: str | None = None
    """With or without `/v1` at its end; none: no such server is used."""
    model: str | None = None
    """None: the first that the server lists."""
    api_key: SecretStr | None = None
    api_key_file: Folder | None = None
    """Taken where there is no `api_key`."""
    context_tokens: int | None = Field(default=None, ge=512)
    """The most that is used; none: what the server tells."""
    native_tools: bool | None = None
    """None: what the server tells; where it tells nothing, tools are called by schema."""
    probe_timeout_s: float = Field(default=1.0, gt=0)
    first_token_timeout_s: float = Field(default=300.0, gt=0)
    token_timeout_s: float = Field(default=60.0, gt=0)

    def key(self) -> str | None:
        """Return the key, out of its file if it is there. Raises SettingsError."""
        if self.api_key is not None:
            return self.api_key.get_secret_value().strip() or None
        if self.api_key_file is None:
            return None
        try:
            return self.api_key_file.read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"The file {self.api_key_file}, which the setting openai.api_key_file names, "
                f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
            ) from error


class ExecutiveSettings(Section):
    """Who reasons."""

    choice: str = "auto"
    """`auto`, `embedded`, `ollama:MODEL`, `openai:MODEL` or `gguf:PATH`."""
    context_tokens: int = Field(default=4_096, ge=512)
    """Context of a model in process."""
    probe: Literal["auto", "never"] = "auto"
    """Whether a model of the full tier that was never probed is probed at its first use."""
    think: Literal["off", "hidden", "shown"] = "off"
    """Whether a model that can think does so before it answers, and whether that is shown."""


class ResidencySettings(Section):
    """Who has the card."""

    card: str = "auto"
    """`auto`, `none`, an index or a UUID of the driver's, or `simulated:24GiB`."""
    paused_work: Literal["wait", "cpu"] = "wait"
    """What becomes of work while the owner has the card, unless `pause` says otherwise."""
    idle_s: float = Field(default=900.0, ge=1)
    """After so long with nothing out the arbiter's process ends."""
    rest_s: float | None = Field(default=None, gt=0)
    """After so long without work executive and senses leave the card; None: they stay."""
    trace_days: float = Field(default=14.0, gt=0)
    """How long the database keeps who had the card when."""


class SensesSettings(Section):
    """Which models hear, see and speak."""

    hearing: str = "auto"
    """`auto`: the best that is here; `embedded`; or the name of one."""
    segments: str = "auto"
    speech: str = "auto"
    speakers: bool = False
    """Whether WhisperX tells voices apart, where it has the weights for it. Slow on a CPU."""
    host_bytes: int = Field(default=8 << 30, ge=0)
    """Host memory for copies of weights that are not in use."""
    hub_url: str = "https://huggingface.co"
    """Where weights are pulled from, when a person says so."""
    vision_url: str | None = None
    """A server with a model that describes pictures, and that is not the executive's Ollama."""
    vision_model: str = "qwen3-vl:4b"
    vision_timeout_s: float = Field(default=300.0, gt=0)


class TalkSettings(Section):
    """How `cortical talk` listens."""

    pause_s: float = Field(default=0.7, ge=0.2, le=5)
    """Silence that ends an utterance."""
    shortest_s: float = Field(default=0.25, ge=0.05, le=2)
    """Speech below this is a noise."""
    longest_s: float = Field(default=60.0, ge=5, le=600)
    """What is said at once is cut there."""
    lead_s: float = Field(default=0.3, ge=0, le=2)
    """Sound from before a voice was noticed that is kept with it."""
    barge_in: bool = True
    """Whether a voice interrupts the answer; false: nothing is heard while it sounds."""


class FilesSettings(Section):
    """What of the disk may be read by tools."""

    roots: tuple[Folder, ...] = ()
    max_bytes: int = Field(default=200 * 2**20, ge=1)


class LimitsSettings(Section):
    """How much one turn may take."""

    rounds: int = Field(default=6, ge=2, le=30)
    tokens: int = Field(default=200_000, ge=1_000)
    seconds: float = Field(default=1_800.0, gt=0)
    same_calls: int = Field(default=3, ge=3, le=5)
    passages: int = Field(default=8, ge=1, le=50)
    answer_tokens: int = Field(default=700, ge=16)
    thought_tokens: int = Field(default=2_048, ge=16)
    tool_timeout_s: float = Field(default=120.0, gt=0)
    tools: int = Field(default=8, ge=1, le=64)


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    data_dir: Folder = Field(default_factory=lambda: Path(_DIRS.user_data_dir))
    """The embedded database."""
    cache_dir: Folder = Field(default_factory=lambda: Path(_DIRS.user_cache_dir))
    """What can be made again: the graph of the embedder, the vectors of benchmarks' texts."""
    collection: str = Field(default="default", min_length=1)
    """Where documents go and are looked for if a command names no other."""
    embedder: str = "auto"
    """`auto`, `embedded` or `ollama:MODEL`."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    database: DatabaseSettings = DatabaseSettings()
    executive: ExecutiveSettings = ExecutiveSettings()
    ollama: OllamaSettings = OllamaSettings()
    openai: OpenAiSettings = OpenAiSettings()
    residency: ResidencySettings = ResidencySettings()
    senses: SensesSettings = SensesSettings()
    talk: TalkSettings = TalkSettings()
    files: FilesSettings = FilesSettings()
    limits: LimitsSettings = LimitsSettings()
    graphs: Mapping[str, str] = {}
    """A user's own graphs: name to `FILE.py:build`."""
    tools: tuple[str, ...] = ()
    """A user's own tools: `FILE.py:NAME`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags before the environment, and the environment before the file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=file_in_use())
        return init_settings, env_settings, file


def file_in_use() -> Path | None:
    """Return the settings file: the one that `CORTICAL_CONFIG` names, or the usual one if there."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    usual = Path(_DIRS.user_config_dir) / "config.toml"
    return usual if usual.exists() else None


def load(**flags: Any) -> Settings:
    """Read the settings. What cannot be read or is not known is a `SettingsError` that names it."""
    file = file_in_use()
    try:
        if file is not None:
            tomllib.loads(file.read_text("utf-8"))
        return Settings(**flags)
    except OSError as error:
        raise SettingsError(
            f"The settings file {file} cannot be read: {error.strerror}. Correct {FILE_VARIABLE} "
            "or the file's permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from error
    except UnreadableVariableError as error:
        raise SettingsError(_unreadable()) from error
    except ValidationError as error:
        raise SettingsError(_explained(error, file)) from error


def _unreadable() -> str:
    """Name the variables whose values have to be JSON and are not."""
    structured = {*Settings.model_fields} - {*known_keys()} | {"graphs", "tools", "files.roots"}
    names = {_variable(key) for key in structured}
    found = [
        f"{name} = {_harmless(name, value)!r}"
        for name, value in os.environ.items()
        if name.upper() in names and not _is_json(value)
    ]
    return f'Not JSON: {", ".join(found)}. A list is written as ["one", "two"].'


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _explained(error: ValidationError, file: Path | None) -> str:
    """Name each key that is wrong, with its value and the nearest known key."""
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, known_keys(), n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            lines.append(f"There is no setting `{key}`.{hint}")
        else:
            lines.append(f"Setting `{key}` = {_harmless(key, fault['input'])!r}: {fault['msg']}.")
    where = f" (file {file}, or a variable {PREFIX}…)" if file else f" (a variable {PREFIX}…)"
    return " ".join(lines) + where


def _harmless(key: str, value: Any) -> Any:
    """Return what was given for a key, unless a secret may stand in it."""
    name = key.lower().removeprefix(PREFIX.lower())
    return _HIDDEN if name == "openai" or "api_key" in name else value


def known_keys() -> list[str]:
    """Return every key, nested ones with a dot."""
    keys: list[str] = []
    for name, field in Settings.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            keys.extend(f"{name}.{inner}" for inner in annotation.model_fields)
        else:
            keys.append(name)
    return keys


def unknown_variables() -> list[str]:
    """Return variables that begin like ours and mean nothing: pydantic passes over these."""
    known = {_variable(key) for key in (*known_keys(), *Settings.model_fields)} | {FILE_VARIABLE}
    return sorted(
        name
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and not name.upper().startswith((f"{PREFIX}TEST_", f"{PREFIX}GRAPHS__"))
    )


def _variable(key: str) -> str:
    return PREFIX + key.replace(".", "__").upper()


def origins() -> dict[str, str]:
    """Tell of each key where its value comes from: environment, file or default."""
    file = file_in_use()
    table = tomllib.loads(file.read_text("utf-8")) if file else {}
    found = {}
    for key in known_keys():
        section, _, inner = key.partition(".")
        in_file = inner in table.get(section, {}) if inner else section in table
        variable = _in_environment(key)
        if variable is not None:
            found[key] = f"environment {variable}"
        elif in_file:
            found[key] = f"file {file}"
        else:
            found[key] = "default"
    return found


def _in_environment(key: str) -> str | None:
    """Return the variable that sets a key, alone, with its table, or an entry of it."""
    names = sorted(name.upper() for name in os.environ)
    entries = [name for name in names if name.startswith(f"{_variable(key)}__")]
    exact = (_variable(key), _variable(key.partition(".")[0]))
    return next((name for name in (*exact, *entries) if name in names), None)


def value_of(settings: Settings, key: str) -> Any:
    """Return the value of a key, nested ones with a dot; secrets and passwords are hidden."""
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    if isinstance(value, SecretStr):
        return _HIDDEN
    if isinstance(value, str):
        return re.sub(r"(?<=:)[^:/@\s]+(?=@)|(?<=password=)\S+", "***", value)
    return value
