"""Compiling functions for the machine.

What was compiled is kept beside the sources or, where these cannot be written, in the user's cache folder
(`NUMBA_CACHE_DIR` names another one), so that only the first process waits for it. Where nothing can be
written, every process compiles for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_njit: Any = njit  # its types do not know all of these options
_PLAIN: dict[str, Any] = {
    "boundscheck": False,
    "error_model": "numpy",
    "_nrt": False,  # nothing is allocated; counting references would take most of the time
}


def compiled(function: _Function) -> _Function:
    """A function that is called from outside."""
    return _kept(function, _PLAIN)


def inner(function: _Function) -> _Function:
    """A function that compiled functions alone call.

    It is kept as well: a process that has no time to compile all leaves less for the next one to do.
    """
    return _kept(function, {**_PLAIN, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def _kept(function: _Function, options: dict[str, Any]) -> _Function:
    try:
        entry: _Function = _njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to keep it in
        entry = _njit(**options)(function)
    return entry
