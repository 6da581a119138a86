"""x"""
from enum import StrEnum


class Kind(StrEnum):
    """What an element of a screen is."""

    WINDOW = "window"
    PANEL = "panel"
    BUTTON = "button"
    FIELD = "field"
    TEXT = "text"
    ICON = "icon"
