"""Users, sessions, tokens and the audit log."""

from __future__ import annotations

import threading

import pytest

from pahara.core import StoreError
from pahara.store import Store


@pytest.fixture
def accounts(tmp_path):
    with Store.open(tmp_path) as store:
        yield store.accounts


def an_owner(accounts):
    return accounts.add_first("Owner", "hash", language="bn", now=1.0)


def test_the_first_start_makes_one_owner_however_many_try_at_once(accounts):
    made, refused = [], []

    def race(name):
        try:
            made.append(accounts.add_first(name, "hash", language="en", now=1.0))
        except StoreError as problem:
            refused.append(str(problem))

    threads = [threading.Thread(target=race, args=(f"user{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert made[0].role == "owner"
    assert len(refused) == 5
    assert "owner already" in refused[0]


def test_names_differ_in_more_than_their_case(accounts):
    an_owner(accounts)
    assert accounts.named(" oWnEr ").name == "Owner"
    with pytest.raises(StoreError, match="already"):
        accounts.add("OWNER", "hash", "viewer", cameras=None, language="en", now=1.0)
    with pytest.raises(StoreError, match="printable"):
        accounts.add("a\nb", "hash", "viewer", cameras=None, language="en", now=1.0)
    with pytest.raises(StoreError, match="no role"):
        accounts.add("x", "hash", "admin", cameras=None, language="en", now=1.0)


def test_a_changed_password_ends_every_session_and_a_changed_language_none(accounts):
    owner = an_owner(accounts)
    accounts.begin_session("k" * 64, owner.id, now=1.0, expires=100.0, agent="Firefox", address="127.0.0.1")
    accounts.change(owner.id, 2.0, language="en")
    assert accounts.session("k" * 64, 3.0)[1].language == "en"
    accounts.change(owner.id, 4.0, password="other")
    assert accounts.session("k" * 64, 5.0) is None
    assert accounts.user(owner.id).changed == 4.0


def test_a_session_ends_by_time_and_with_its_user(accounts):
    an_owner(accounts)
    guest = accounts.add("guest", "hash", "viewer", cameras=["gate"], language="en", now=1.0)
    accounts.begin_session("a" * 64, guest.id, now=1.0, expires=100.0, agent="", address="")
    session, user = accounts.session("a" * 64, 99.0)
    assert (session.user, user.sees("gate"), user.sees("yard")) == (guest.id, True, False)
    assert accounts.session("a" * 64, 100.0) is None
    accounts.begin_session("b" * 64, guest.id, now=100.0, expires=200.0, agent="", address="")
    accounts.change(guest.id, 101.0, disabled=True)
    assert accounts.session("b" * 64, 102.0) is None
    accounts.remove(guest.id)
    assert accounts.named("guest") is None


def test_the_last_owner_cannot_go_step_down_or_be_locked_out(accounts):
    owner = an_owner(accounts)
    for change in ({"role": "viewer"}, {"disabled": True}, {"password": ""}):
        with pytest.raises(StoreError, match="another owner first"):
            accounts.change(owner.id, 2.0, **change)
    with pytest.raises(StoreError, match="another owner first"):
        accounts.remove(owner.id)
    assert accounts.user(owner.id) == owner


def test_a_one_time_code_counts_once(accounts):
    owner = an_owner(accounts)
    assert accounts.use_step(owner.id, 100)
    assert not accounts.use_step(owner.id, 100)
    assert not accounts.use_step(owner.id, 99)
    assert accounts.use_step(owner.id, 101)


def test_a_token_is_found_by_its_hash_until_it_expires_or_is_removed(accounts):
    owner = an_owner(accounts)
    token = accounts.add_token(owner.id, "grafana", "h" * 64, "viewer", now=1.0, expires=50.0)
    assert accounts.token("h" * 64, 10.0)[0].role == "viewer"
    assert accounts.tokens(owner.id)[0].last == 10.0
    assert accounts.token("h" * 64, 50.0) is None
    accounts.remove_token(token.id)
    assert accounts.token("h" * 64, 10.0) is None


def test_the_audit_log_pages_from_the_newest(accounts):
    for n in range(5):
        accounts.note("review", "Owner", object=f"event{n}", address="::1", now=float(n))
    first = accounts.log(2)
    assert [entry.object for entry in first] == ["event4", "event3"]
    assert [entry.object for entry in accounts.log(10, before=first[-1].id)] == ["event2", "event1", "event0"]
