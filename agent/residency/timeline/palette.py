"""Colours that hold on a light and on a dark ground, and the style of a picture."""

from collections.abc import Iterable, Mapping

from agent.residency.books import EXECUTIVE
from agent.residency.timeline.history import CONTEXT, FOREIGN, TURNS, UNCONFIRMED, WORKING
from agent.residency.timeline.svg import element

_FIXED = {
    FOREIGN: "#8b949e",
    CONTEXT: "#b6bec8",
    EXECUTIVE: "#4c6fd8",
    TURNS: "#5d87c4",
    WORKING: "#f0b429",
    UNCONFIRMED: "url(#unconfirmed)",
}
_MODELS = ("#1f9e8f", "#d1618f", "#7fb53c", "#8f6ed5", "#e07a3f", "#3aa5c9", "#b8863b", "#6a8caf")
ALARM = "#d9363e"

STYLE = """
text{font:11px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.ground{fill:#ffffff}.ink,.ink text{fill:#1f2328}.faint,.faint text{fill:#656d76}
.grid{stroke:#d8dee4;stroke-width:1}.rule{stroke:#1f2328;stroke-width:1}
.used{fill:none;stroke:#1f2328;stroke-width:1;stroke-dasharray:2 2}
.pause{fill:#656d76;fill-opacity:.14}
.alarm{stroke:#d9363e;stroke-width:1.6;fill:none}.alarmed{fill:#d9363e}
.head{font-size:17px;font-weight:600}.name{font-weight:600}
@media(prefers-color-scheme:dark){
.ground{fill:#0d1117}.ink,.ink text{fill:#e6edf3}.faint,.faint text{fill:#9198a1}
.grid{stroke:#2b323b}.rule{stroke:#e6edf3}.used{stroke:#e6edf3}.pause{fill:#9198a1}}
"""


def colours(names: Iterable[str]) -> Mapping[str, str]:
    """Give each layer and group its colour: models in the order in which they come."""
    models = [name for name in dict.fromkeys(names) if name not in _FIXED]
    given = {name: _MODELS[at % len(_MODELS)] for at, name in enumerate(models)}
    return {**_FIXED, **given}


def definitions() -> str:
    """Return the style and the hatchings."""
    stripe = element("path", d="M-1 7 7-1M5 13 13 5", stroke="#d9363e", stroke_width=1.4)
    ground = element("rect", width=6, height=6, fill="#eebfc1")
    unconfirmed = element(
        "pattern",
        ground,
        stripe,
        id="unconfirmed",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    never = element(
        "pattern",
        element("path", d="M-1 5 5-1M3 9 9 3", stroke=ALARM, stroke_width=0.8, opacity=0.6),
        id="never",
        width=4,
        height=4,
        patternUnits="userSpaceOnUse",
    )
    return element("style", STYLE) + element("defs", unconfirmed, never)
