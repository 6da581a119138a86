"""Serve the double from a script in a file, for tests that need it in a process of its own.

Where the script has no replies, the model of `agent.ollama_double.player` answers.
"""

import argparse
from pathlib import Path

from agent.ollama_double.app import OllamaDouble
from agent.ollama_double.models import DoubleModel
from agent.ollama_double.player import play
from agent.ollama_double.script import Script, read_script


def main() -> None:
    """Read the command line and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m agent.ollama_double", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--script", type=Path, help="JSON file with the replies")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds before each line")
    given = parser.parse_args()
    try:
        import uvicorn
    except ImportError:
        parser.error("the package uvicorn is not installed; it comes with the group dev")
    script = read_script(given.script) if given.script else Script()
    if not script.replies:
        script.responder = play
    double = OllamaDouble(script, models=script.models or [DoubleModel()], pace_s=given.pace)
    uvicorn.run(double, host="127.0.0.1", port=given.port)


if __name__ == "__main__":
    main()
