"""Jumping and stepping are two ways to the same events, results and counters, bit for bit."""

from __future__ import annotations

from hypothesis import given, settings

from scenarios.script import Plan, plans, tell


@settings(max_examples=150, deadline=None)
@given(plans(with_commands=False))
def test_both_gears_tell_the_same_story(plan: Plan) -> None:
    assert tell(plan, stepping=False).events == tell(plan, stepping=True).events


@settings(max_examples=150, deadline=None)
@given(plans(with_commands=True))
def test_both_gears_tell_the_same_story_with_commands(plan: Plan) -> None:
    assert tell(plan, stepping=False).events == tell(plan, stepping=True).events


@settings(max_examples=80, deadline=None)
@given(plans(with_commands=False))
def test_listening_changes_nothing(plan: Plan) -> None:
    heard, unheard = tell(plan, stepping=False), tell(plan, stepping=False, listen=False)
    assert heard.result.fingerprint == unheard.result.fingerprint
    assert heard.result.counters == unheard.result.counters
    assert [(r.close_reason, r.timestamp, r.pnl, r.signal.peak, r.signal.fall) for r in heard.closed] == [
        (r.close_reason, r.timestamp, r.pnl, r.signal.peak, r.signal.fall) for r in unheard.closed
    ]
