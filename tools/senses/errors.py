"""What can go wrong with a sense, in words for whoever handed over the file or the text.

SenseError
├── MediaError
├── NothingToSayError
├── WeightsError
├── DeviceError
├── SoundDeviceError
└── EngineError
"""


class SenseError(Exception):
    """A sense gave nothing; the text says of which input, why, and what to do."""


class MediaError(SenseError):
    """A file is no recording or no picture, or nothing of it can be decoded."""


class NothingToSayError(SenseError):
    """A text has no word in it that could be spoken."""


class WeightsError(SenseError):
    """Weights are not there, not whole, or of another model than is said."""


class DeviceError(SenseError):
    """A device is not there, or has no room for what should be copied onto it."""


class EngineError(SenseError):
    """The library behind a sense does not load or failed; reinstalling it may mend that."""


class SoundDeviceError(SenseError):
    """A microphone or a loudspeaker is not there, or has gone."""
