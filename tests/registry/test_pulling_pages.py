"""Pages of a provider whose rows change while they are read: none is skipped."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from nastavnik_registry.pulling.config import PullSource, load, secret
from nastavnik_registry.pulling.errors import PullError
from nastavnik_registry.pulling.provider import Provider, retry_after
from nastavnik_registry.pulling.reading import Reader
from nastavnik_registry.pulling.spool import Spool
from tests.registry.fake_provider import BASE, FakeProvider


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> PullSource:
    monkeypatch.setenv("SIS_SECRET", "s3cret")
    return PullSource(
        base_url=BASE,
        token_url="https://sis.example.org/token",
        client_id="nastavnik",
        client_secret="env:SIS_SECRET",
        page=4,
        backoff_seconds=0,
        attempts=4,
    )


@pytest.fixture
def provider() -> FakeProvider:
    made = FakeProvider()
    made.org("s1")
    for number in range(25):
        made.user(f"u{number:02}")
    return made


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "a.spool", uuid4())
    yield made
    made.close()


async def read(
    source: PullSource, fake: FakeProvider, spool: Spool, since: datetime | None = None
) -> None:
    async def told(collection: str, done: int, total: int | None) -> None:
        assert total is None or total >= 0

    async with Provider(source, fake.transport) as provider:
        await Reader(source, provider, spool, since, told).read()


def users(spool: Spool) -> dict[str, str]:
    return {row["sourcedId"]: row["givenName"] for row in spool.rows("users")}


@pytest.mark.parametrize("kind", ["sorted", "unsorted", "no totals", "no filters", "small pages"])
@pytest.mark.parametrize("seed", [2, 3])
async def test_nothing_is_skipped_while_rows_change(
    source: PullSource, provider: FakeProvider, spool: Spool, kind: str, seed: int
) -> None:
    provider.sorts = kind not in ("unsorted", "no filters")
    provider.totals = kind not in ("no totals", "small pages")
    provider.filters = kind != "no filters"
    provider.largest = 3 if kind == "small pages" else 1000
    chance = random.Random(seed)
    gone: set[str] = set()

    def disturb(number: int) -> None:
        for _ in range(2 if number < 12 else 0):
            ident = chance.choice(sorted(provider.tables["users"]))
            what = chance.choice(["change", "remove", "add"])
            if what == "change":
                provider.change("users", ident, givenName=f"N{number}")
            elif what == "remove":
                gone.add(ident)
                del provider.tables["users"][ident]
            else:
                provider.user(f"u{chance.randrange(100):02}x{number}")
                provider.change("users", list(provider.tables["users"])[-1])

    provider.before = disturb
    await read(source, provider, spool)
    found = users(spool)
    expected = {ident: row["givenName"] for ident, row in provider.tables["users"].items()}
    assert {ident: found.get(ident) for ident in expected} == expected
    assert found.keys() - expected.keys() <= gone


async def test_only_what_changed_is_read(
    source: PullSource, provider: FakeProvider, spool: Spool
) -> None:
    provider.change("users", "u07", givenName="Ольга")
    since = datetime(2026, 10, 1, tzinfo=UTC)
    await read(source, provider, spool, since)
    assert users(spool) == {"u07": "Ольга"}
    asked = {params["filter"] for _, params in provider.requests[:3]}
    assert asked == {"dateLastModified>='2026-10-01T00:00:00.000Z'"}


async def test_a_provider_without_filters_is_read_whole_and_sifted(
    source: PullSource, provider: FakeProvider, spool: Spool
) -> None:
    provider.filters = provider.sorts = False
    provider.change("users", "u07", givenName="Ольга")
    await read(source, provider, spool, datetime(2026, 10, 1, tzinfo=UTC))
    assert users(spool) == {"u07": "Ольга"}


async def test_busy_ill_and_forgetful_providers_are_asked_again(
    source: PullSource, provider: FakeProvider, spool: Spool
) -> None:
    def forget(number: int) -> None:
        if number == 5:
            provider.valid.clear()  # the next request's token is unknown

    provider.before = forget
    provider.answers = [(429, {"retry-after": "0"}), (500, {}), (200, {}), (503, {}), (502, {})]
    await read(source, provider, spool)
    assert len(users(spool)) == 25
    assert len(provider.tokens) == 2


async def test_reading_goes_on_where_it_stopped(
    source: PullSource, provider: FakeProvider, spool: Spool
) -> None:
    def stop(number: int) -> None:
        if number == 5:
            provider.answers = [(500, {})] * source.attempts

    provider.before = stop
    with pytest.raises(PullError, match="provider_unavailable"):
        await read(source, provider, spool)
    provider.before = lambda number: None
    before = len(provider.requests)
    last = provider.requests[-1]
    await read(source, provider, spool)
    assert provider.requests[before] == last
    assert int(last[1]["offset"]) > 0
    assert len(users(spool)) == 25


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "pull.forbidden"),
        (404, "pull.unknown_collection"),
        (302, "pull.bad_answer"),
    ],
)
async def test_refusals_have_their_code(
    source: PullSource, provider: FakeProvider, spool: Spool, status: int, code: str
) -> None:
    provider.answers = [(status, {})]
    with pytest.raises(PullError) as stopped:
        await read(source, provider, spool)
    assert stopped.value.code == code


async def test_wrong_secrets_and_missing_ones(
    source: PullSource, provider: FakeProvider, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.secret = "another"
    with pytest.raises(PullError, match=r"pull\.token_refused"):
        await read(source, provider, spool)
    monkeypatch.delenv("SIS_SECRET")
    with pytest.raises(PullError, match=r"pull\.secret_missing"):
        await read(source, provider, spool)


async def test_a_provider_that_ignores_the_offset_is_found_out(
    source: PullSource, provider: FakeProvider, spool: Spool
) -> None:
    provider.totals = False
    plain = provider._found

    def stuck(name: str, params: dict[str, str]) -> list[dict[str, object]]:
        return plain(name, params)[:4] * 50

    provider._found = stuck  # type: ignore[method-assign]
    provider.largest = 4
    with pytest.raises(PullError, match=r"pull\.offset_ignored"):
        await read(source.model_copy(update={"page": 5}), provider, spool)


def test_both_forms_of_retry_after() -> None:
    assert retry_after("7") == 7.0
    assert retry_after("Fri, 31 Dec 1999 23:59:59 GMT") == 0.0
    assert (retry_after("Fri, 31 Dec 2100 23:59:59 GMT") or 0) > 1e6
    assert retry_after("soon") is None
    assert retry_after("") is None


def test_sources_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    place = tmp_path / "secret"
    place.write_text("hush\n")
    lines = [
        "[sources.sgo]",
        'base_url = "https://sis.example.org/ims/oneroster/rostering/v1p2"',
        'token_url = "https://sis.example.org/token"',
        'client_id = "n"',
        f'client_secret = "file:{place}"',
    ]
    file.write_text("\n".join(lines))
    found = load(file)["sgo"]
    assert (secret(found.client_secret or ""), found.interval_seconds) == ("hush", 3600)
    assert load(None) == {}
    for wrong in (
        'base_url = "http://sis.example.org"',
        'base_url = "file:///etc/passwd"',
        'base_url = "https://a.example"\nclient_secret = "in the open"',
        'base_url = "https://a.example"\ntoken_url = "https://a.example"',
        'base_url = "https://a.example"\ntoken = "in the open"',
        'base_url = "https://a.example"\npassword = "x"',
    ):
        file.write_text(f"[sources.sgo]\n{wrong}")
        with pytest.raises(ValueError):
            load(file)
