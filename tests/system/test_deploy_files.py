"""The container files: what can be said about them without an engine."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from nastavnik_common.auth import Role
from nastavnik_common.settings import Settings
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_registry.settings import RegistrySettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {"registry": 8001, "activity": 8002, "metrics": 8003}
SERVERS = ["kafka", "postgres", "prometheus", "alertmanager", "grafana", "keycloak"]
MIGRATIONS = [f"{name}-migrate" for name in SERVICES]
ONCE = [*MIGRATIONS, "certificates", "kafka-rights", "backup"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    return text.replace("\\\n", " ")


def instructions(dockerfile: str, name: str) -> list[str]:
    return re.findall(rf"^\s*{name}\s+(.*)$", dockerfile, re.MULTILINE)


def test_the_compose_file_names_only_what_compose_knows(compose: dict[str, Any]) -> None:
    top = {"name", "services", "volumes"}
    assert {key for key in compose if not key.startswith("x-")} == top
    known = {
        "build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "group_add",
        "healthcheck", "image", "ports", "profiles", "read_only", "restart", "security_opt",
        "stop_grace_period", "tmpfs", "user", "volumes",
    }  # fmt: skip
    for name, service in compose["services"].items():
        assert service.keys() <= known, name
        assert all(isinstance(v, str) for v in service.get("environment", {}).values()), name


def test_the_whole_system_is_there(services: dict[str, Any]) -> None:
    assert services.keys() == {*SERVERS, *ONCE, *SERVICES}


def test_every_image_is_pinned(services: dict[str, Any], dockerfile: str) -> None:
    for service in services.values():
        if "build" not in service:
            assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)*", service["image"])
    bases = [base.split(" AS ")[0] for base in instructions(dockerfile, "FROM")]
    assert set(bases) == {"python:3.13-slim"}


def test_kafka_is_the_version_that_make_run_fetches(services: dict[str, Any]) -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    found = re.search(r"<kafka\.version>(.+)</kafka\.version>", pom)
    assert found is not None
    assert services["kafka"]["image"] == f"apache/kafka:{found[1]}"


def test_everything_that_stays_up_is_watched_and_restarted(
    services: dict[str, Any], dockerfile: str
) -> None:
    assert "/healthz" in instructions(dockerfile, "HEALTHCHECK")[0]
    for name, service in services.items():
        if name in ONCE:
            assert service["restart"] == "no"
            assert service["healthcheck"] == {"disable": True}
            continue
        assert service["restart"] == "unless-stopped", name
        assert "build" in service or service["healthcheck"]["test"][0] == "CMD", name


def test_the_start_order_is_by_condition_and_has_no_circle(services: dict[str, Any]) -> None:
    def order(name: str, path: tuple[str, ...] = ()) -> None:
        assert name not in path, path
        for before, how in services[name].get("depends_on", {}).items():
            done = before in ONCE
            wanted = "service_completed_successfully" if done else "service_healthy"
            assert how == {"condition": wanted}, (name, before)
            order(before, (*path, name))

    for name in services:
        order(name)
    for name in SERVICES:
        assert services[name]["depends_on"].keys() == {f"{name}-migrate", "kafka-rights"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_database_and_a_port_of_its_own(
    services: dict[str, Any], name: str
) -> None:
    serve, migrate = services[name], services[f"{name}-migrate"]
    assert serve["command"] == [f"nastavnik_{name}", "serve"]
    assert migrate["command"] == [f"nastavnik_{name}", "migrate"]
    for service, role, variable in (
        (serve, name, f"{name.upper()}_DB_PASSWORD"),
        (migrate, f"{name}_owner", f"{name.upper()}_DB_OWNER_PASSWORD"),
    ):
        told = service["environment"]
        assert told["NASTAVNIK_DATABASE_URL"] == f"postgresql+asyncpg://{role}@postgres:5432/{name}"
        password = f"${{{variable}:-{role.replace('_', '-')}-dev}}"
        assert told["NASTAVNIK_DATABASE_PASSWORD"] == password
        assert services["postgres"]["environment"][variable] == password
    assert serve["environment"]["NASTAVNIK_PORT"] == str(SERVICES[name])
    assert serve["ports"] == [f"127.0.0.1:{SERVICES[name]}:{SERVICES[name]}"]


@pytest.mark.parametrize("name", [*SERVICES, "admin"])
def test_a_client_of_kafka_shows_the_password_that_kafka_knows(
    services: dict[str, Any], name: str
) -> None:
    client = services["kafka-rights" if name == "admin" else name]
    told, known = client["environment"], services["kafka"]["environment"]
    assert told["NASTAVNIK_KAFKA_USERNAME"] == name
    assert told["NASTAVNIK_KAFKA_PASSWORD"] == known[f"KAFKA_{name.upper()}_PASSWORD"]
    assert told["NASTAVNIK_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert "certificates:/certificates:ro" in client["volumes"]


def test_nothing_runs_with_more_rights_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        # the provider for development builds itself when it starts
        assert service.get("read_only", False) == (name != "keycloak"), name
        assert name == "keycloak" or "/tmp" in service["tmpfs"], name


def test_the_realm_for_development_issues_what_the_services_take() -> None:
    realm = json.loads((ROOT / "deploy" / "keycloak" / "nastavnik-realm.json").read_text())
    settings = Settings(database_url="postgresql+asyncpg://localhost/none")
    scope = next(s for s in realm["clientScopes"] if s["name"] == "nastavnik")
    mappers = {m["protocolMapper"]: m["config"] for m in scope["protocolMappers"]}
    grants = mappers["oidc-usermodel-attribute-mapper"]
    assert grants["claim.name"] == settings.auth_grants_claim
    assert grants["jsonType.label"] == "JSON"
    audience = mappers["oidc-audience-mapper"]
    assert audience["included.custom.audience"] == settings.auth_audience
    assert realm["defaultSignatureAlgorithm"] in settings.auth_algorithms.split(",")
    for client in realm["clients"]:
        assert "nastavnik" in client["defaultClientScopes"]
        assert client.get("secret", "${").startswith("${")
    for user in realm["users"]:
        for grant in json.loads(user["attributes"][grants["user.attribute"]][0]):
            assert Role(grant["role"])
            assert grant["unit"] == "all" or UUID(grant["unit"])
        assert all(c["value"].startswith("${") for c in user.get("credentials", ()))
    [profile] = realm["components"]["org.keycloak.userprofile.UserProfileProvider"]
    [known] = profile["config"]["kc.user.profile.config"]
    [declared] = [a for a in json.loads(known)["attributes"] if a["name"] == grants["claim.name"]]
    assert declared["permissions"] == {"view": ["admin"], "edit": ["admin"]}


@pytest.mark.parametrize(
    ("name", "settings"),
    [("registry", RegistrySettings), ("activity", Settings), ("metrics", MetricsSettings)],
)
def test_every_variable_is_one_the_settings_know(
    services: dict[str, Any], dockerfile: str, name: str, settings: type[Settings]
) -> None:
    known = {f"NASTAVNIK_{field.upper()}" for field in settings.model_fields}
    for service in (services[name], services[f"{name}-migrate"]):
        assert service["environment"].keys() <= known
    if name == "registry":
        assert set(re.findall(r"NASTAVNIK_[A-Z_]+", dockerfile)) <= known


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_what_is_mounted_exists_and_data_outlives_the_containers(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            there = (ROOT / source).exists() if source.startswith(".") else source in named(compose)
            assert there, volume
    assert "postgres-data:/var/lib/postgresql" in services["postgres"]["volumes"]


def named(compose: dict[str, Any]) -> set[str]:
    return set(compose["volumes"])


def test_the_image_runs_without_root_and_without_a_shell(dockerfile: str) -> None:
    user = instructions(dockerfile, "USER")[-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    for name in ("ENTRYPOINT", "CMD"):
        assert all(found.startswith("[") for found in instructions(dockerfile, name))
    assert "NASTAVNIK_HOST=0.0.0.0" in dockerfile
    assert "--require-hashes" in dockerfile


def test_what_the_image_copies_is_let_through(dockerfile: str) -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert "*" in rules
    for copied in instructions(dockerfile, "COPY"):
        if "--from" not in copied:
            assert set(copied.split()[:-1]) <= allowed, copied


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if line[:1].isalpha())


def test_the_image_is_tested_with_the_versions_it_ships() -> None:
    everything, shipped = pins("requirements.lock"), pins("requirements-runtime.lock")
    assert shipped.items() <= everything.items()
    assert pins("requirements-build.lock").items() <= everything.items()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "hatchling"} & shipped.keys()


def test_prometheus_scrapes_the_three(services: dict[str, Any]) -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    job = next(j for j in config["scrape_configs"] if j["job_name"] == "nastavnik")
    targets = {c["labels"]["service"]: c["targets"] for c in job["static_configs"]}
    assert targets == {name: [f"{name}:{port}"] for name, port in SERVICES.items()}


def test_promtool_accepts_the_configuration() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here (it comes with Prometheus)")
    done = subprocess.run(
        [promtool, "check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_names_every_variable() -> None:
    text = (ROOT / "README.md").read_text()
    classes = (Settings, RegistrySettings, MetricsSettings)
    known = {f"NASTAVNIK_{field.upper()}" for cls in classes for field in cls.model_fields}
    listed = set(re.findall(r"^\| `(NASTAVNIK_[A-Z_]+)` \| .* \| .* \|$", text, re.MULTILINE))
    assert listed == known


def test_every_direct_dependency_is_explained() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    explained = {
        name
        for row in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
        for name in re.findall(r"[A-Za-z0-9-]+", re.sub(r"\[.*?\]|\(.*?\)", "", row))
    }
    for path in sorted(ROOT.glob("**/pyproject.toml")):
        if ".venv" in path.parts:
            continue
        document = tomllib.loads(path.read_text())
        direct = [*document["project"].get("dependencies", [])]
        direct += document.get("dependency-groups", {}).get("dev", [])
        names = {re.split(r"[\[<>=!~; ]", name)[0] for name in direct}
        missing = {n for n in names if not n.startswith("nastavnik-")} - explained
        assert not missing, path
