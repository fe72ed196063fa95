"""How often is often: a budget as its owner writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core.rate import UNITS, Rate


@pytest.mark.parametrize(
    ("written", "per_day"),
    [
        ("3/day", 3),
        ("1/week", 1 / 7),
        ("2/h", 48),
        (5, 5),
        ("4", 4),
        ("1.5 / d", 1.5),
        ("2 per hour", 48),
        ("1 a week", 1 / 7),
        ("0,5/w", 1 / 14),
    ],
)
def test_a_budget_is_read_as_people_write_it(written, per_day):
    assert Rate.of(written).per_day == pytest.approx(per_day)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("3/dya", "Did you mean 'day'"),
        ("2/hrs", "Did you mean 'hour'"),
        ("3/fortnight", "Write it like 3/day"),
        ("often", "is no rate"),
        ("0/day", "above 0"),
        ("-1/day", "is no rate"),
        (float("nan"), "above 0"),
        (True, "is no rate"),
        (None, "is no rate"),
        ("", "is no rate"),
    ],
)
def test_what_is_no_budget_says_what_to_write(written, told):
    with pytest.raises(ValueError, match=told):
        Rate.of(written)


@given(st.floats(0.001, 1e6).map(lambda x: float(f"{x:g}")).filter(lambda x: "e" not in f"{x:g}"), st.sampled_from(sorted(UNITS)))
def test_what_is_shown_is_read_back(count, unit):
    assert Rate.of(str(Rate(count, unit))) == Rate(count, unit)
