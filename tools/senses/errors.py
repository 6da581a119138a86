"""What can go wrong with a sense, in words for whoever handed over the file or the text.

SenseError
├── MediaError
├── NothingToSayError
├── EngineError
└── DeviceError
"""


class SenseError(Exception):
    """A sense gave nothing; the text says of which input, why, and what to do."""


class MediaError(SenseError):
    """A file is no recording or no picture, or nothing of it can be decoded."""


class NothingToSayError(SenseError):
    """A text has no word in it that could be spoken."""


class EngineError(SenseError):
    """The library behind a sense does not load or failed; reinstalling it may mend that."""


class DeviceError(SenseError):
    """A microphone or a loudspeaker is not there, or has gone."""
