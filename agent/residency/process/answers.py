"""What the arbiter's effects are to the programs that they concern."""

from agent.residency.arbiter import effects
from agent.residency.process import wire
from agent.residency.process.holder import Holder

Answer = effects.Granted | effects.Withdrawn | effects.Admitted | effects.TurnRevoked


def answer(effect: Answer) -> wire.Message:
    """Return the message to whoever asked."""
    match effect:
        case effects.Granted():
            return {
                "is": "granted",
                "ask": Holder.own(effect.ask),
                "token": effect.token,
                "variant": effect.variant,
                "place": effect.place,
                "working_bytes": effect.working_bytes,
                "rung": effect.rung,
                "reason": effect.reason,
            }
        case effects.Withdrawn():
            return {"is": "withdrawn", "ask": Holder.own(effect.ask), "reason": effect.reason}
        case effects.Admitted():
            return {
                "is": "admitted",
                "turn": Holder.own(effect.turn),
                "place": effect.place,
                "profile": effect.profile,
            }
        case effects.TurnRevoked():
            return {
                "is": "turn_revoked",
                "turn": Holder.own(effect.turn),
                "reason": effect.reason,
            }
