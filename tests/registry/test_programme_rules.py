"""What a programme may not say, over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.registry.conftest import Events, Made


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def months(*planned: str, sessions: Any = 1) -> dict[str, Any]:
    return {"plan": [{"month": month, "sessions": sessions} for month in planned]}


def forms(*codes: str) -> dict[str, Any]:
    return {"forms": [{"form": code, "mentorships": n} for n, code in enumerate(codes)]}


def approved(*kinds: str) -> dict[str, Any]:
    return {"documents": [{"kind": k, "date": "2026-09-01", "status": "approved"} for k in kinds]}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (months("2026-08"), "programme.month_outside"),
        (months("2027-09"), "programme.month_outside"),
        (months("2026-10", "2026-10"), "programme.duplicate_month"),
        (months("2026-13"), "request.invalid"),
        (months("2026-10", sessions=-1), "request.invalid"),
        (months("2026-10", sessions=10**12), "request.invalid"),
        (months("2026-10", sessions="4"), "request.invalid"),
        (approved("order", "order"), "programme.duplicate_document"),
        (approved("decree"), "request.invalid"),
        (forms("a_b", "a_b"), "programme.duplicate_form"),
        (forms("Пара"), "request.invalid"),
        ({"mechanisms": ["magic"]}, "request.invalid"),
        ({"curator_id": str(uuid4())}, "participant.unknown"),
        ({"organization_id": str(uuid4())}, "organization.unknown"),
        ({"school_year": "2026/28"}, "request.invalid"),
        ({"staffed": "yes"}, "request.invalid"),
        ({"name": "Х"}, "request.invalid"),
    ],
)
async def test_what_contradicts_itself_is_refused(
    client: httpx.AsyncClient,
    make: Made,
    events: Events,
    year: dict[str, Any],
    parts: dict[str, Any],
    expected: str,
) -> None:
    made = await make("programmes", **{**year, "school_year": "2025/26"})
    await events()
    assert code(await client.post("/programmes", json={**year, **parts})) == (422, expected)
    patch = {"school_year": "2026/27", **parts}
    assert code(await client.patch(f"/programmes/{made['id']}", json=patch)) == (422, expected)
    assert await events() == []


async def test_a_year_that_moves_takes_its_plan_along(
    client: httpx.AsyncClient, make: Made, year: dict[str, Any]
) -> None:
    made = await make("programmes", **year, plan=[{"month": "2026-10", "sessions": 1}])
    place = f"/programmes/{made['id']}"
    moved = {"school_year": "2027/28"}
    assert code(await client.patch(place, json=moved)) == (422, "programme.month_outside")
    moved["plan"] = [{"month": "2027-10", "sessions": 1}]  # type: ignore[assignment]
    assert (await client.patch(place, json=moved)).json()["school_year"] == "2027/28"
    for name in ("organization_id", "plan", "staffed"):
        assert code(await client.patch(place, json={name: None})) == (422, "request.invalid")


async def test_territories_have_no_programme(client: httpx.AsyncClient, make: Made) -> None:
    region = await make("organizations", level="region", name="Область")
    body = {"organization_id": region["id"], "school_year": "2026/27"}
    refused = await client.post("/programmes", json=body)
    assert code(refused) == (422, "programme.not_an_organization")
