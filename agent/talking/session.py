"""A conversation set up from settings and flags: devices or recordings, the engine, the thread."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent import asking, assembly, perceiving
from agent.errors import UsageError
from agent.recorder import Watch
from agent.settings import Settings, TalkSettings
from agent.talking import keys
from agent.talking.assistant import SpokenAssistant, folder_of
from agent.talking.conversation import Conversation, Manner
from agent.talking.ear import Ear, HeldEar, VoiceEar
from agent.talking.mouth import Mouth
from agent.talking.pace import IdlePace, RealPace
from tools.senses import miniaudio_devices
from tools.senses.base import Recording
from tools.senses.devices import Loudspeaker, Microphone
from tools.senses.media import decode_audio
from tools.senses.recordings import Pace, RecordedMicrophone, recorded_loudspeaker
from tools.senses.utterances import Rules
from tools.senses.voice import SileroDetector


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How somebody wants to talk."""

    microphone: Path | None = None
    """A recording in place of the microphone."""
    loudspeaker: Path | None = None
    """A file in place of the loudspeaker."""
    thread_id: str | None = None
    push_to_talk: bool = False
    real_time: bool = False
    """Whether a recording is heard as fast as it was spoken."""


async def talk(
    settings: Settings, wish: Wish, *, watch: Watch, decide: asking.Decide | None
) -> None:
    """Talk until the microphone ends.

    Raises `SoundDeviceError` where a device is missing or goes, `MediaError` where a recording is
    none.
    """
    if wish.push_to_talk:
        _check_push_to_talk(wish)
    recording = await _recording(settings, wish)
    with ExitStack() as devices:
        loudspeaker = devices.enter_context(await _loudspeaker(wish))
        idle = IdlePace()
        pace: Pace = RealPace() if wish.real_time or loudspeaker.live else idle
        ear = _ear(settings.talk, wish)
        microphone = devices.enter_context(_microphone(wish, recording, pace))
        pressed = keys.Keys(ear.press) if isinstance(ear, HeldEar) else None
        async with assembly.engine(settings, watch=watch) as engine:
            thread_id = wish.thread_id or str(uuid.uuid4())
            conversation = Conversation(
                assistant=SpokenAssistant(
                    engine,
                    thread_id=thread_id,
                    collection=settings.collection,
                    folder=await asyncio.to_thread(folder_of, settings.data_dir),
                    decide=_lent(decide, pressed),
                ),
                ear=ear,
                microphone=microphone,
                loudspeaker=loudspeaker,
                mouth=partial(_mouth, engine, loudspeaker),
                pace=pace,
                manner=Manner(barge_in=settings.talk.barge_in, longest_s=settings.talk.longest_s),
                changed=idle.changed,
                tell=watch,
            )
            idle.busy = lambda: conversation.busy
            watch({"event": "tiers", "text": engine.greeting})
            watch(
                {
                    "event": "listening",
                    "microphone": microphone.name,
                    "loudspeaker": loudspeaker.name,
                    "push_to_talk": wish.push_to_talk,
                    "flaws": list(recording.flaws) if recording else [],
                    "thread_id": thread_id,
                }
            )
            with pressed.open() if pressed else nullcontext():
                await conversation.hold()
            watch({"event": "over", "thread_id": thread_id})


def _check_push_to_talk(wish: Wish) -> None:
    if wish.microphone is not None:
        raise UsageError(
            "--push-to-talk is for a microphone: a recording cannot wait for a key. Leave out one "
            "of --push-to-talk and --microphone."
        )
    keys.checked()


async def _recording(settings: Settings, wish: Wish) -> Recording | None:
    if wish.microphone is None:
        return None
    data = await asyncio.to_thread(perceiving.given, wish.microphone, settings)
    return await decode_audio(data, wish.microphone.name)


async def _loudspeaker(wish: Wish) -> AbstractContextManager[Loudspeaker]:
    if wish.loudspeaker is None:
        return miniaudio_devices.loudspeaker()
    return recorded_loudspeaker(await asyncio.to_thread(perceiving.target_of, wish.loudspeaker))


def _microphone(
    wish: Wish, recording: Recording | None, pace: Pace
) -> AbstractContextManager[Microphone]:
    if wish.microphone is None or recording is None:
        return miniaudio_devices.microphone()
    return nullcontext(RecordedMicrophone(recording, wish.microphone.name, pace))


def _ear(settings: TalkSettings, wish: Wish) -> Ear:
    rules = Rules(
        pause_s=settings.pause_s,
        shortest_s=settings.shortest_s,
        longest_s=settings.longest_s,
        lead_s=settings.lead_s,
    )
    return HeldEar(rules) if wish.push_to_talk else VoiceEar(SileroDetector(), rules)


def _mouth(
    engine: assembly.Engine,
    loudspeaker: Loudspeaker,
    changed: Callable[[], None],
    failed: Callable[[Exception], None],
) -> Mouth:
    return Mouth(
        engine.held.senses.speech,
        loudspeaker,
        language=engine.services.language,
        changed=changed,
        failed=failed,
    )


def _lent(decide: asking.Decide | None, pressed: keys.Keys | None) -> asking.Decide | None:
    """Let a decision have the terminal while it is asked for."""
    if decide is None or pressed is None:
        return decide

    def decided(payload: Mapping[str, Any]) -> dict[str, Any]:
        with pressed.lent():
            return decide(payload)

    return decided
