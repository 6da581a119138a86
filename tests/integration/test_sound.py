"""Recordings of every format and in every state, through FFmpeg."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tools.senses import sound
from tools.senses.base import SAMPLE_RATE_HZ, Speech
from tools.senses.errors import MediaError
from tools.senses.media import decode_audio, encode_wav

JFK = Path(__file__).parents[2].parent / "shared" / "data" / "audio" / "jfk.flac"


def tone(seconds: float, rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate_hz)) / rate_hz)


def wav(
    seconds: float, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1, sample_bytes: int = 2
) -> bytes:
    file = io.BytesIO()
    samples = np.repeat(tone(seconds, rate_hz), channels)
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(sample_bytes)
        writer.setframerate(rate_hz)
        if sample_bytes == 1:
            writer.writeframes((samples * 127 + 128).astype(np.uint8).tobytes())
        else:
            writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def encoded(container: str, codec: str, seconds: float) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=44_100, layout="stereo")
        samples = np.repeat(tone(seconds, 44_100), 2).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="stereo")
        frame.rate = 44_100
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=44_100)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        while (block := fifo.read(stream.frame_size or 1024, partial=True)) is not None:
            output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (wav(1.5), 0.001),
        (wav(1.5, rate_hz=44_100, channels=2), 0.001),
        (wav(1.5, rate_hz=8_000, sample_bytes=1), 0.02),
        (wav(1.5, rate_hz=48_000, channels=6), 0.001),
        (encoded("flac", "flac", 1.5), 0.001),
        (encoded("mp3", "libmp3lame", 1.5), 0.02),
        (encoded("adts", "aac", 1.5), 0.02),
        (encoded("mp4", "aac", 1.5), 0.02),
        (encoded("matroska", "flac", 1.5), 0.001),
        (encoded("aiff", "pcm_s16be", 1.5), 0.001),
    ],
    ids="wav stereo eight-bit six-channels flac mp3 aac m4a mka aiff".split(),
)
async def test_any_format_becomes_mono_at_16_khz(data: bytes, tolerance: float) -> None:
    recording = await decode_audio(data, "tone")
    assert recording.flaws == ()
    assert recording.samples.dtype == np.float32
    assert recording.duration_s == pytest.approx(1.5, abs=0.06)
    middle = recording.samples[8_000:16_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), abs=tolerance)
    crossings = np.count_nonzero(np.diff(np.signbit(middle)))
    assert crossings == pytest.approx(440, abs=2)


async def test_a_recording_that_was_cut_off_gives_what_is_there() -> None:
    data = wav(7.0)
    recording = await decode_audio(data[: 44 + round(3.2 * SAMPLE_RATE_HZ) * 2], "cut.wav")
    assert recording.duration_s == pytest.approx(3.2, abs=0.01)
    assert recording.declared_s == pytest.approx(7.0)
    assert recording.flaws == ("cut short: 3.2 s of 7.0 s are there",)


@pytest.mark.parametrize(
    ("container", "codec"), [("flac", "flac"), ("mp3", "libmp3lame"), ("matroska", "aac")]
)
async def test_a_compressed_recording_that_was_cut_off_says_so(container: str, codec: str) -> None:
    data = encoded(container, codec, 8.0)
    recording = await decode_audio(data[: len(data) // 2], "cut")
    assert 3 < recording.duration_s < 5
    [flaw] = recording.flaws
    assert flaw.startswith("cut short: ")
    assert flaw.endswith(" s of 8.0 s are there")


async def test_a_length_that_a_program_left_open_is_no_promise() -> None:
    data = bytearray(wav(1.0))
    data[40:44] = b"\xff\xff\xff\xff"
    recording = await decode_audio(bytes(data), "piped.wav")
    assert recording.declared_s is None
    assert recording.flaws == ()


async def test_a_damaged_stretch_is_left_out_and_counted() -> None:
    data = bytearray(encoded("mp3", "libmp3lame", 8.0))
    data[40_000:60_000] = bytes(20_000)
    recording = await decode_audio(bytes(data), "damaged.mp3")
    assert 4 < recording.duration_s < 8
    assert any(flaw.startswith(("damaged", "cut short")) for flaw in recording.flaws)


async def test_a_recording_that_is_too_long_is_decoded_up_to_the_limit() -> None:
    recording = await decode_audio(wav(7.0), "long.wav", longest_s=3)
    assert recording.duration_s == 3.0
    assert recording.flaws == ("too long: only its first 0:00:03 of 0:00:07 were decoded",)


async def test_a_long_recording_lies_on_disk_and_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = await decode_audio(wav(3.0), "tone.wav")
    monkeypatch.setattr(sound, "HELD_BYTES", 1000)
    lying = await decode_audio(wav(3.0), "tone.wav")
    assert isinstance(lying.samples, np.memmap)
    assert np.array_equal(held.samples, lying.samples)


async def test_sound_that_is_no_number_is_silence_or_full_scale() -> None:
    data = bytearray(wav(0.1))
    samples = np.array([np.nan, np.inf, -np.inf, 2.0, -3.0, 0.25] * 100, "<f4")
    data[20:22], data[34:36] = b"\x03\0", b"\x20\0"
    data[28:32], data[32:34] = (64_000).to_bytes(4, "little"), b"\x04\0"
    data[40:44] = (samples.nbytes).to_bytes(4, "little")
    recording = await decode_audio(bytes(data[:44]) + samples.tobytes(), "floats.wav")
    assert recording.samples[:6].tolist() == [0.0, 1.0, -1.0, 1.0, -1.0, 0.25]


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (wav(0.0), "holds no sound"),
        (wav(1.0)[:30], "damaged"),
        (picture(), "is a picture (image/png), not a recording"),
        (b"Minutes of the meeting.\n" * 40, "is of type text/plain, not a recording"),
        (np.random.default_rng(1).bytes(50_000), "is of no known format, not a recording"),
        (encoded("mp4", "aac", 2.0)[:9_000], "damaged"),
    ],
    ids="empty no-samples half-a-header picture text noise m4a-without-index".split(),
)
async def test_what_holds_no_sound_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(MediaError) as raised:
        await decode_audio(data, "speech.wav")
    assert str(raised.value).startswith("speech.wav ")
    assert words in str(raised.value)


@pytest.mark.parametrize("seed", range(40))
async def test_noise_within_a_recording_never_ends_in_another_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    whole = [wav(1.0), encoded("flac", "flac", 1.0), encoded("mp3", "libmp3lame", 1.0)][seed % 3]
    data = bytearray(whole)
    for at in random.integers(0, len(data), 30):
        data[at] = random.integers(256)
    try:
        recording = await decode_audio(bytes(data), "noisy")
    except MediaError:
        return
    assert len(recording.samples)
    assert np.abs(recording.samples).max() <= 1.0


@pytest.fixture
def address() -> Iterator[str]:
    """A web server that nobody may call; it accepts nothing."""
    with create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/speech.wav"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "play_list",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        "[playlist]\nFile1={}\nNumberOfEntries=1\n",
    ],
)
async def test_a_play_list_is_not_followed(play_list: str, address: str, tmp_path: Path) -> None:
    (tmp_path / "speech.wav").write_bytes(wav(1.0))
    for target in (str(tmp_path / "speech.wav"), address):
        with pytest.raises(MediaError, match=r"is of type text|not a recording"):
            await decode_audio(play_list.format(target).encode(), "list.wav")


async def test_speech_written_as_wav_is_read_back() -> None:
    samples = (tone(0.5) * 32767).astype(np.int16)
    recording = await decode_audio(
        encode_wav(Speech(samples=samples, sample_rate_hz=SAMPLE_RATE_HZ)), "speech.wav"
    )
    assert np.array_equal(np.round(recording.samples * 32768).astype(np.int16), samples)


@pytest.mark.shared
@pytest.mark.skipif(not JFK.exists(), reason="the shared recordings are not there")
async def test_the_shared_speech_is_eleven_seconds_long() -> None:
    recording = await decode_audio(JFK.read_bytes(), JFK.name)
    assert (recording.duration_s, recording.declared_s, recording.flaws) == (11.0, 11.0, ())
