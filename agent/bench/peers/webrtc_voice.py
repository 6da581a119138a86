"""The voice detector of WebRTC, at its strictest, as its documentation has it."""

PACKAGES = ("webrtcvad-wheels",)
FRAME_S = 0.03


def flags(path: str) -> list[int]:
    """Return for each 30 ms of a file of 16 bit samples at 16 kHz whether they hold a voice."""
    import webrtcvad

    detector = webrtcvad.Vad(3)
    with open(path, "rb") as file:  # noqa: PTH123 - a path out of a request
        data = file.read()
    size = 2 * round(FRAME_S * 16_000)
    return [
        int(detector.is_speech(data[start : start + size], 16_000))
        for start in range(0, len(data) - size + 1, size)
    ]
