"""The HTTP surface of metrics: catalogue, values, cards, units, errors."""

import httpx
import pytest

from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, person


async def test_the_catalogue_has_the_seven_coverage_indicators(client: httpx.AsyncClient) -> None:
    items = (await client.get("/indicators")).json()["items"]
    codes = {item["code"] for item in items}
    assert codes >= {
        "coverage.students",
        "coverage.staff",
        "coverage.pooled",
        "coverage.mentees_10_19",
        "coverage.mentors_15_19",
        "coverage.young_specialists",
        "coverage.enterprises",
    }
    one = (await client.get("/indicators/coverage.students")).json()
    assert one["targets"][0]["value"] == 70
    assert one["targets"][0]["verified"] is True


async def test_values_of_a_unit_and_its_children(
    client: httpx.AsyncClient,
    tell: Tell,
) -> None:
    await tell(*TREE, person("a", "school"), person("b", "other"))
    response = await client.get(
        "/indicators/coverage.students/values",
        params={"unit": str(ident("region")), "children": "true", "school_year": "2026/27"},
    )
    found = {item["unit_name"]: item["denominator"] for item in response.json()["items"]}
    assert found == {"region": 2, "east": 1, "west": 1}


async def test_a_card_shows_every_indicator(
    client: httpx.AsyncClient,
    tell: Tell,
) -> None:
    await tell(*TREE, person("a", "school"))
    card = (await client.get(f"/units/{ident('school')}/card")).json()
    assert card["unit"]["kind"] == "general"
    assert len(card["values"]) == 31


async def test_units_page_without_gaps(
    client: httpx.AsyncClient,
    tell: Tell,
) -> None:
    await tell(*TREE)
    seen, cursor = [], None
    while True:
        page = (
            await client.get("/units", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(state.id) for state in TREE)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/indicators/coverage.nothing", 404, "indicator.not_found"),
        (f"/indicators/coverage.staff/values?unit={ident('nobody')}", 404, "unit.not_found"),
        ("/indicators/coverage.staff/values?unit=nonsense", 422, "request.invalid"),
        ("/indicators/coverage.staff/values", 422, "request.invalid"),
        (f"/units/{ident('nobody')}/card", 404, "unit.not_found"),
        (f"/units/{ident('nobody')}/card?school_year=2026/28", 422, "school_year.malformed"),
        (
            f"/indicators/coverage.staff/values?unit={ident('x')}&version=9",
            404,
            "definition.not_found",
        ),
        ("/units?cursor=!!!", 400, "cursor.invalid"),
        ("/units?limit=0", 422, "request.invalid"),
        ("/units?name=%00", 422, "request.nul_character"),
        ("/schemas/nothing.json", 404, "schema.not_found"),
        ("/nowhere", 404, "route.not_found"),
    ],
)
async def test_errors_are_problem_documents(
    client: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    response = await client.get(path)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code


async def test_every_answer_carries_a_correlation_id(client: httpx.AsyncClient) -> None:
    given = await client.get("/healthz", headers={"x-correlation-id": "abc-1"})
    assert given.headers["x-correlation-id"] == "abc-1"
    forged = await client.get("/healthz", headers={"x-correlation-id": "a" * 500})
    assert len(forged.headers["x-correlation-id"]) == 36


async def test_not_ready_without_a_consumer_and_says_which_part(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks["database"] == "ok"
    assert checks["consumer"] == "not connected to Kafka"
