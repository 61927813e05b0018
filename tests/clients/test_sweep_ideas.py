"""Ideas: what is accepted, which are traded, and which choose the winner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backtestkit.clients.sweep_ideas import admit, as_ideas, split
from backtestkit.errors import UsageError
from backtestkit.model.sweep import Idea, IdeaDirection
from scenarios.market import MINUTE, START

GOOD = {"id": "1", "timestamp": START, "symbol": "BTC", "direction": "long", "author": "ann"}


def idea(
    number: int, minute: float, direction: IdeaDirection = "long", author: str = "ann", symbol: str = "BTC"
) -> Idea:
    return Idea(str(number), START + int(minute * MINUTE), symbol, direction, author)


class TestAccepted:
    def test_ideas_and_mappings(self) -> None:
        one = Idea("1", START, "BTC", "long", "ann")
        assert as_ideas([one, GOOD | {"id": "2"}]) == [one, Idea("2", START, "BTC", "long", "ann")]
        assert one.when == datetime(2025, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "time",
        [
            START,
            "2025-01-01",
            "2025-01-01T00:00:00Z",
            datetime(2025, 1, 1, tzinfo=UTC),
            datetime(2025, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        ],
    )
    def test_times_as_users_write_them(self, time: Any) -> None:
        named = {key: value for key, value in GOOD.items() if key != "timestamp"} | {"ts": time}
        assert as_ideas([named]) == as_ideas([GOOD]) == as_ideas([GOOD | {"timestamp": time}])

    def test_capitals_numbers_as_ids_and_no_author(self) -> None:
        (found,) = as_ideas([{"id": 7, "ts": START, "symbol": "BTC", "direction": "SHORT", "author": None}])
        assert found == Idea("7", START, "BTC", "short", "")

    def test_equal_ids_of_two_symbols(self) -> None:
        assert len(as_ideas([GOOD, GOOD | {"symbol": "ETH"}])) == 2


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"direction": "up"}, r"direction='up' must be one of 'long', 'short', 'neutral'"),
            ({"direction": 1}, r"direction=1 must be one of"),
            ({"timestamp": 1_735_689_600}, r"looks like seconds; give milliseconds, 1735689600000"),
            ({"timestamp": datetime(2025, 1, 1)}, r"has no time zone"),  # noqa: DTZ001
            ({"timestamp": "soon"}, r"timestamp='soon' is not a time"),
            ({"id": ""}, r"id='' must be a text that is not empty"),
            ({"symbol": None}, r"symbol=None must be a text that is not empty"),
            ({"author": ["ann"]}, r"author=\['ann'\] must be a text"),
            ({"autor": "ann"}, r"unknown field 'autor'. Did you mean 'author'"),
        ],
    )
    def test_a_field(self, change: dict[str, Any], complaint: str) -> None:
        with pytest.raises(UsageError, match=r"1 ideas refused:\n  ideas\[1\] .*" + complaint):
            as_ideas([GOOD, GOOD | {"id": "2"} | change])

    def test_what_is_missing(self) -> None:
        with pytest.raises(UsageError, match="lacks timestamp, direction; an idea has id, timestamp"):
            as_ideas([{"id": "1", "symbol": "BTC"}])

    def test_no_list_and_no_mapping(self) -> None:
        for wrong in (GOOD, "ideas", 5):
            with pytest.raises(UsageError, match="ideas must be a list"):
                as_ideas(wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="must be an Idea or a mapping, not int"):
            as_ideas([5])  # type: ignore[list-item]

    def test_an_id_twice(self) -> None:
        with pytest.raises(UsageError, match=r"ideas\[1\] id='1' is that of ideas\[0\] too"):
            as_ideas([GOOD, GOOD])

    def test_a_hundred_wrong_ones_are_counted_and_five_shown(self) -> None:
        with pytest.raises(UsageError) as caught:
            as_ideas([{}] * 100)
        assert str(caught.value).startswith("100 ideas refused") and str(caught.value).endswith("and 95 more")
        assert str(caught.value).count("ideas[") == 5


class TestAdmitted:
    def test_those_of_the_symbol_in_the_order_of_time(self) -> None:
        found = admit([idea(1, 900), idea(2, 5), idea(3, 1, symbol="ETH")], "BTC", repeat_minutes=480, step=MINUTE)
        assert found.total == 2 and [one.idea.id for one in found.admitted] == ["2", "1"]

    def test_an_idea_enters_with_the_candle_after_its_own(self) -> None:
        found = admit([idea(1, 3), idea(2, 903.99)], "BTC", repeat_minutes=480, step=MINUTE)
        assert [(one.entry - START) // MINUTE for one in found.admitted] == [4, 904]
        hourly = admit([idea(1, 60), idea(2, 901)], "BTC", repeat_minutes=480, step=60 * MINUTE)
        assert [(one.entry - START) // MINUTE for one in hourly.admitted] == [120, 960]

    def test_a_repeat_is_measured_from_the_last_one_that_was_kept(self) -> None:
        times = [0, 300, 479.9, 480, 900, 960]
        found = admit([idea(n, t) for n, t in enumerate(times)], "BTC", repeat_minutes=480, step=MINUTE)
        assert [one.idea.id for one in found.admitted] == ["0", "3", "5"] and found.repeated == 3

    def test_others_and_the_other_direction_are_no_repeats(self) -> None:
        three = [idea(1, 0), idea(2, 1, "short"), idea(3, 2, author="bob")]
        assert len(admit(three, "BTC", repeat_minutes=480, step=MINUTE).admitted) == 3

    def test_neutral_ones_are_counted_and_repeat_nothing(self) -> None:
        found = admit([idea(1, 0, "neutral"), idea(2, 1)], "BTC", repeat_minutes=480, step=MINUTE)
        assert (found.total, found.neutral, found.repeated) == (2, 1, 0) and len(found.admitted) == 1

    def test_no_repeats_when_told_so(self) -> None:
        assert admit([idea(1, 0), idea(2, 0)], "BTC", repeat_minutes=0, step=MINUTE).repeated == 0


class TestSplit:
    def test_the_newest_are_held_out_and_what_reaches_into_them_is_purged(self) -> None:
        entries = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
        known = [entry + 15 for entry in entries]
        found = split(entries, known, percent=30, since=None)
        assert (
            found.at == 70 and found.inside == [0, 1, 2, 3, 4, 5] and found.purged == [6] and found.outside == [7, 8, 9]
        )

    def test_an_outcome_known_just_when_the_hold_out_begins_is_in_sample(self) -> None:
        assert split([0, 10], [10, 20], percent=50, since=None).inside == [0]
        assert split([0, 10], [11, 20], percent=50, since=None).purged == [0]

    def test_ideas_of_one_time_stay_together(self) -> None:
        found = split([0, 50, 50, 50], [1, 60, 60, 60], percent=25, since=None)
        assert found.inside == [0] and found.outside == [1, 2, 3]

    def test_at_least_one_of_several_is_held_out(self) -> None:
        assert split([0, 50], [1, 60], percent=1, since=None).outside == [1]
        assert split([0], [1], percent=30, since=None) == ([0], [], [], None)

    def test_nothing_is_held_out_when_told_so(self) -> None:
        assert split([0, 50], [60, 60], percent=0, since=None) == ([0, 1], [], [], None)

    def test_a_date_in_place_of_a_share(self) -> None:
        assert split([0, 50, 90], [60, 60, 100], percent=30, since=50) == ([], [0], [1, 2], 50)
        assert split([0, 50], [1, 60], percent=30, since=500) == ([0, 1], [], [], 500)
