"""What can go wrong between a program and the arbiter of a card.

AgentError
└── ResidencyError
    ├── UnreachableError
    ├── ArbiterVersionError
    ├── MessageError
    ├── NoExecutiveError
    ├── LeaseRefusedError
    └── LeaseLostError
"""

from agent.errors import AgentError


class ResidencyError(AgentError):
    """The card cannot be had."""


class UnreachableError(ResidencyError):
    """No arbiter answers, and none could be started."""


class ArbiterVersionError(ResidencyError):
    """The arbiter that runs speaks another version of the protocol."""


class MessageError(ResidencyError):
    """A message is not one of the protocol."""


class NoExecutiveError(ResidencyError):
    """No executive is kept on the card, so that a turn need not wait for one."""


class LeaseRefusedError(ResidencyError):
    """The arbiter said no, or the deadline passed."""


class LeaseLostError(ResidencyError):
    """A lease was revoked while its operation ran."""
