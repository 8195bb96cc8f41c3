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
from routing.offers import DayWitness, Placement
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
from routing.regions import Point, minutes_to_sites
from routing.solve import solve
from routing.stop import AnyOf, Gap, NoImprovement, Progress, Seconds, Stop
from routing.workday import Ask, CannotKeep, Held, Workday

__all__ = [
    "MODES",
    "AnyOf",
    "Ask",
    "Assignment",
    "CannotKeep",
    "DayWitness",
    "FileMistakes",
    "Gap",
    "Held",
    "Instance",
    "Mode",
    "NoImprovement",
    "Obstacle",
    "Option",
    "Placement",
    "Plan",
    "Point",
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
    "Workday",
    "check",
    "minutes_to_sites",
    "parse_instance",
    "parse_plan",
    "read_instance",
    "read_plan",
    "reasons",
    "solve",
    "write_instance",
    "write_plan",
]
