"""The generated HTTP clients: complete, and understood by the running services."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from nastavnik_local.scenario_api import Api
from tests import tokens
from tests.system.helpers import NAMES, YEAR, System, World, until_figures

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `make clients` makes, importable for this module's tests."""
    assert shutil.which("make") is not None
    where = tmp_path_factory.mktemp("clients") / "client-http"
    done = subprocess.run(
        ["make", "clients", f"CLIENTS={where}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    sys.path.insert(0, str(where))
    yield where
    sys.path.remove(str(where))


def module(service: str, name: str) -> Any:
    return importlib.import_module(f"nastavnik_{service}_client{name}")


@pytest.mark.parametrize("service", NAMES)
def test_every_operation_has_its_function(generated: Path, service: str) -> None:
    document = json.loads((ROOT / "docs" / "openapi" / f"{service}.json").read_text())
    operations = [one for path in document["paths"].values() for one in path.values()]
    made = list((generated / f"nastavnik_{service}_client" / "api").glob("*/*.py"))
    assert len([path for path in made if path.stem != "__init__"]) == len(operations)


async def test_the_services_understand_them(running: System, api: Api, generated: Path) -> None:
    """A unit made, read, listed, refused and followed; a session logged; a figure read."""
    registry, activity, metrics = (
        module(name, "").Client(
            running.url(name), headers=tokens.allowed(), httpx_args={"trust_env": False}
        )
        for name in NAMES
    )
    models = module("registry", ".models")
    organizations = ".api.organizations"
    ident = uuid4()
    body = models.NewOrganization.from_dict(
        {"id": str(ident), "level": "region", "name": "Республика"}
    )
    create = module("registry", f"{organizations}.create_organization")
    made = await create.asyncio_detailed(client=registry, body=body)
    assert made.status_code == 201, made.content
    assert (made.parsed.id, made.parsed.version) == (ident, 1)
    one = module("registry", f"{organizations}.get_organization")
    assert (await one.asyncio(ident, client=registry)).name == "Республика"
    many = module("registry", f"{organizations}.list_organizations")
    assert (await many.asyncio(client=registry, limit=1)).items
    problem = await one.asyncio(uuid4(), client=registry)
    assert isinstance(problem, models.Problem)
    assert problem.code == "organization.not_found"

    world = await World(api).build(pupils=2, pairs=1)
    log = module("activity", ".api.sessions.log_session")
    meeting = module("activity", ".models").NewSessionBody.from_dict(world.meeting(1))
    logged = await log.asyncio(client=activity, body=meeting)
    assert logged.version == 1
    follow = module("activity", ".api.changes.follow_changes")
    page = await follow.asyncio(client=activity, limit=5)
    assert page.items
    assert page.items[0].specversion == "1.0"

    await until_figures(api, world.units, (2, 2))
    values = module("metrics", ".api.indicators.get_values")
    told = await values.asyncio("coverage.students", client=metrics, unit=world.school)
    assert (told.items[0].numerator, told.items[0].school_year) == (2, YEAR)
