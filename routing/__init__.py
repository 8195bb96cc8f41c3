"""Planning appointments: who serves whom, when and where.

Needs nothing but the standard library, NumPy, Numba and OR-Tools; knows nothing of the service that uses it.
"""

from routing.check import Report, check
from routing.deploy import deploy
from routing.explain import Alternative, Explanation, Parts, Refusal, explain
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
from routing.orders import Deployed, Worth
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
from routing.proposals import Proposal
from routing.reasons import Obstacle, Reason, reasons
from routing.regions import Point, minutes_to_sites
from routing.repair import DayRepair, Lost, Proof, Repair, Stage, repair
from routing.simulation.days import simulate
from routing.simulation.files import read_scenarios
from routing.simulation.report import simulate_all
from routing.solve import solve
from routing.standin import StandIn, stand_in
from routing.stop import AnyOf, Gap, NoImprovement, Progress, Seconds, Stop, Work
from routing.workday import Ask, CannotKeep, Held, Workday

__all__ = [
    "MODES",
    "Alternative",
    "AnyOf",
    "Ask",
    "Assignment",
    "CannotKeep",
    "DayRepair",
    "DayWitness",
    "Deployed",
    "Explanation",
    "FileMistakes",
    "Gap",
    "Held",
    "Instance",
    "Lost",
    "Mode",
    "NoImprovement",
    "Obstacle",
    "Option",
    "Parts",
    "Placement",
    "Plan",
    "Point",
    "Progress",
    "Promise",
    "Proof",
    "Proposal",
    "Reason",
    "Refusal",
    "Repair",
    "Report",
    "Rooms",
    "Seconds",
    "Shift",
    "Specialist",
    "Stage",
    "StandIn",
    "Stop",
    "Visit",
    "Weights",
    "Window",
    "Work",
    "Workday",
    "Worth",
    "check",
    "deploy",
    "explain",
    "minutes_to_sites",
    "parse_instance",
    "parse_plan",
    "read_instance",
    "read_plan",
    "read_scenarios",
    "reasons",
    "repair",
    "simulate",
    "simulate_all",
    "solve",
    "stand_in",
    "write_instance",
    "write_plan",
]
