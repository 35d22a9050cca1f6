"""Indicators are data: two added, one retired, a formula changed with a date, all while it runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

import nastavnik_metrics.catalogue
from nastavnik_metrics.app import create_app
from nastavnik_metrics.settings import MetricsSettings
from tests import tokens
from tests.metrics.conftest import Tell
from tests.metrics.world import TREE, ident, meeting, pair, person

SHIPPED = Path(nastavnik_metrics.catalogue.__file__).with_name("catalogue.toml").read_text()
TITLE = 'title = { ru = "Новый", en = "New" }'
TWO_MORE = f"""
[[indicators]]
code = "coverage.mentors_per_pupil"
version = 1
group = "coverage"
{TITLE}
numerator = [{{ measure = "engaged.mentors" }}]
denominator = [{{ measure = "population.students" }}]

[[indicators]]
code = "activity.active_mentorships"
version = 1
group = "activity"
{TITLE}
unit = "count"
numerator = [{{ measure = "mentorships.active" }}]
"""
CHANGED = f"""
[[indicators]]
code = "coverage.students"
version = 2
group = "coverage"
effective_from = 2026
{TITLE}
numerator = [{{ measure = "engaged.students" }}]
denominator = [{{ measure = "population.students" }}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.toml"
    path.write_text(SHIPPED)
    return path


@pytest.fixture
async def client(
    metrics_settings: MetricsSettings, file: Path, connection: asyncpg.Connection
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(metrics_settings.model_copy(update={"catalogue": file}), background=False)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://metrics", headers=tokens.allowed()
    ) as opened:
        yield opened


async def figure(client: httpx.AsyncClient, code: str, **params: str) -> tuple[int, int, int]:
    about = {"unit": str(ident("region")), "school_year": "2026/27", **params}
    response = await client.get(f"/indicators/{code}/values", params=about)
    assert response.status_code == 200, response.text
    value = response.json()["items"][0]
    return value["definition_version"], value["numerator"], value["denominator"]


@pytest.fixture
async def _world(tell: Tell, connection: asyncpg.Connection) -> None:
    await tell(*TREE, person("a", "school"), person("b", "school"), person("c", "club"))
    await tell(pair("m", "a", "b"), meeting("x", "m", "a", "b"))


@pytest.mark.usefixtures("_world")
async def test_two_indicators_are_added_by_data_alone(
    client: httpx.AsyncClient, file: Path
) -> None:
    missing = await client.get("/indicators/coverage.mentors_per_pupil")
    assert missing.status_code == 404
    file.write_text(SHIPPED + TWO_MORE)
    assert (await client.post("/admin/catalogue:reload")).status_code == 200
    assert await figure(client, "coverage.mentors_per_pupil") == (1, 1, 3)
    assert await figure(client, "activity.active_mentorships") == (1, 1, 1)


@pytest.mark.usefixtures("_world")
async def test_one_is_retired(client: httpx.AsyncClient, file: Path) -> None:
    at = SHIPPED.index('code = "coverage.enterprises"')
    file.write_text(SHIPPED[:at] + "retired_from = 2026\n" + SHIPPED[at:])
    await client.post("/admin/catalogue:reload")
    codes = {i["code"] for i in (await client.get("/indicators")).json()["items"]}
    assert "coverage.enterprises" not in codes
    earlier = await client.get("/indicators", params={"school_year": "2025/26"})
    assert "coverage.enterprises" in {i["code"] for i in earlier.json()["items"]}


@pytest.mark.usefixtures("_world")
async def test_a_changed_formula_has_a_date_and_the_old_one_stays_computable(
    client: httpx.AsyncClient, file: Path
) -> None:
    file.write_text(SHIPPED + CHANGED)
    await client.post("/admin/catalogue:reload")
    assert await figure(client, "coverage.students") == (2, 2, 3)
    assert await figure(client, "coverage.students", version="1") == (1, 2, 2)
    assert (await figure(client, "coverage.students", school_year="2025/26"))[0] == 1


@pytest.mark.usefixtures("_world")
async def test_a_broken_file_is_refused_and_the_old_catalogue_stays(
    client: httpx.AsyncClient, file: Path
) -> None:
    file.write_text(SHIPPED + TWO_MORE.replace("engaged.mentors", "engaged.nobody"))
    response = await client.post("/admin/catalogue:reload")
    assert (response.status_code, response.json()["code"]) == (422, "catalogue.broken")
    assert "no measure engaged.nobody" in response.json()["detail"]
    assert await figure(client, "coverage.students") == (1, 2, 2)


@pytest.mark.usefixtures("_world")
async def test_changed_measures_need_a_rebuild(client: httpx.AsyncClient, file: Path) -> None:
    file.write_text(SHIPPED.replace("age = [10, 19]", "age = [10, 18]"))
    response = await client.post("/admin/catalogue:reload")
    assert (response.status_code, response.json()["code"]) == (409, "catalogue.measures_changed")
