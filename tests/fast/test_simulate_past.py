"""The city's past: honest earlier states of its records, and a truth to check them by."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from mapa_city import past
from mapa_city.arrays import day_number
from mapa_city.city import City, build
from mapa_city.slots import slot_days
from mapa_city.truth import answers
from mapa_city.truth.past import deliveries, in_force, movements

UNTIL = date(2026, 6, 30)
DAYS = tuple(UNTIL - timedelta(days=back) for back in (60, 30, 0))


@pytest.fixture(scope="module")
def city() -> City:
    return build(people=12_000, days=200, seed=2, until=UNTIL)


def test_the_last_day_is_the_city_itself(city: City) -> None:
    records = past.as_of(city, UNTIL)
    for name in past.TABLES:
        assert getattr(records, name).drop_columns("record").equals(getattr(city, name)), name


def test_the_past_is_the_same_each_time_and_differs_from_day_to_day(city: City) -> None:
    then, again = past.as_of(city, DAYS[0]), past.as_of(city, DAYS[0])
    assert then == again
    for name in past.TABLES:
        assert not getattr(then, name).drop_columns("record").equals(getattr(city, name)), name


def test_no_record_knows_its_future(city: City) -> None:
    for row in past.as_of(city, DAYS[0]).schedules.to_pylist():
        assert row["created_at"].date() <= DAYS[0]
        assert row["changed_at"].date() <= DAYS[0]
        if row["status"] == "EXPIRADA" and row["valid_to"]:
            assert row["valid_to"] < DAYS[0]


def test_every_cause_of_the_diary_occurs(city: City) -> None:
    told = answers.compute(city, DAYS)["oferta_diario"]["linhas"]
    causes = Counter(row[6] for row in told)
    assert len(causes) >= 15, causes
    assert {row[0] for row in told} == {"2026-06-01", "2026-07-01"}


def test_one_delivery_gives_the_dates_of_the_records_alone(city: City) -> None:
    _, days = in_force(city, deliveries(city, [UNTIL]), day_number(UNTIL))
    alone = slot_days(city, day_number(UNTIL))
    assert days.day.tolist() == alone.day.tolist()
    assert days.total.tolist() == alone.total.tolist()
    assert answers.compute(city)["oferta_diario"]["linhas"] == []


def test_the_movements_of_a_schedule_that_vanished_are_its_days_to_come(city: City) -> None:
    seen = deliveries(city, DAYS)
    keys = [set(each.records.schedules["record"].to_pylist()) for each in seen]
    moves = list(movements(seen))
    lost = [m for m in moves if m.cause == "desaparecida"]
    assert lost
    for move in lost:
        at = [each.seen for each in seen].index(move.seen)
        assert move.slot[0] in keys[at - 1] - keys[at]
        assert move.change < 0
        assert move.slot[1] >= move.seen


def test_schedules_are_edited_in_place_in_every_way(city: City) -> None:
    then, now = (
        {row["codigo"]: row for row in past.as_of(city, day).schedules.to_pylist()}
        for day in (DAYS[0], UNTIL)
    )
    changed = Counter(
        name
        for codigo in then.keys() & now.keys()
        for name, value in then[codigo].items()
        if now[codigo][name] != value
    )
    for name in ("weekday", "start_minute", "professional_idx", "unit_idx", "procedure_idx"):
        assert changed[name] > 0, name


def test_a_number_had_more_rows_before_than_it_has_now(city: City) -> None:
    rows = [
        Counter(past.as_of(city, day).schedules["record"].to_pylist()) for day in (DAYS[0], UNTIL)
    ]
    assert [record for record, count in rows[0].items() if count > rows[1][record] > 0]
    assert [record for record, count in rows[1].items() if count > rows[0][record] > 0]
