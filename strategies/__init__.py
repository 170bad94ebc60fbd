"""One file a strategy; the file's name is the strategy's name."""

from strategies.base import Strategy
from strategies.context import indicator_values
from strategies.panel import Bars
from strategies.registry import Parameter, UnknownStrategy, find, names, parameters
from strategies.signals import Signals, SignalStrategy
from strategies.sizing import PercentOfEquity
from strategies.target import Target

__all__ = [
    "Bars",
    "Parameter",
    "PercentOfEquity",
    "SignalStrategy",
    "Signals",
    "Strategy",
    "Target",
    "UnknownStrategy",
    "find",
    "indicator_values",
    "names",
    "parameters",
]
