"""Every route says who may call it."""

from __future__ import annotations

from booking_service.web.access import ACCESS

NOT_OURS = {"static", "api-docs.openapi_json"}


def declared(view, method):
    """What the view says, or the method of its class."""
    owner = getattr(view, "view_class", None)
    return hasattr(view if owner is None else getattr(owner, method.lower()), ACCESS)


def test_every_route_declares_who_may_call_it(standing):
    silent = [
        f"{method} {rule.rule}"
        for rule in standing.url_map.iter_rules()
        if rule.endpoint not in NOT_OURS
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if not declared(standing.view_functions[rule.endpoint], method)
    ]
    assert silent == []
