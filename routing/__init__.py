"""Planning appointments: who serves whom, when and where.

Needs nothing but the standard library, NumPy and OR-Tools, and knows nothing of the service that uses it.
"""

from routing.check import Report, check
from routing.files import (
    FileMistakes,
    parse_instance,
    parse_plan,
    read_instance,
    read_plan,
    write_instance,
    write_plan,
)
from routing.problem import (
    MODES,
    Assignment,
    Instance,
    Mode,
    Option,
    Plan,
    Promise,
    Rooms,
    Shift,
    Specialist,
    Visit,
    Weights,
    Window,
)
from routing.reasons import Obstacle, Reason, reasons
from routing.solve import solve
from routing.stop import AnyOf, Gap, NoImprovement, Progress, Seconds, Stop

__all__ = [
    "MODES",
    "AnyOf",
    "Assignment",
    "FileMistakes",
    "Gap",
    "Instance",
    "Mode",
    "NoImprovement",
    "Obstacle",
    "Option",
    "Plan",
    "Progress",
    "Promise",
    "Reason",
    "Report",
    "Rooms",
    "Seconds",
    "Shift",
    "Specialist",
    "Stop",
    "Visit",
    "Weights",
    "Window",
    "check",
    "parse_instance",
    "parse_plan",
    "read_instance",
    "read_plan",
    "reasons",
    "solve",
    "write_instance",
    "write_plan",
]
