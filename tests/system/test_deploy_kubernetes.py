"""The manifests: built as by `kubectl apply -k`, valid to the letter, true to the services."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from nastavnik_common import kafka_rights
from nastavnik_common.settings import Settings
from nastavnik_metrics.settings import MetricsSettings
from nastavnik_registry.settings import RegistrySettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, type[Settings]] = {
    "registry": RegistrySettings,
    "activity": Settings,
    "metrics": MetricsSettings,
}
OTHERS = {"ScaledObject"}  # of KEDA, whose schemas are not Kubernetes'
VERSION = "1.34"
Objects = dict[tuple[str, str], Any]


@pytest.fixture(scope="module", params=["dev", "region"])
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """Every object of an overlay, by kind and name."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl here")
    copy = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(ROOT / "deploy" / "k8s", copy)
    (copy / "overlays" / "dev" / "ca.pem").write_text("made by certificates.py\n")
    overlay = copy / "overlays" / request.param
    built = subprocess.run(
        [kubectl, "kustomize", overlay], check=False, capture_output=True, text=True, timeout=60
    )
    assert built.returncode == 0, built.stderr
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(built.stdout)}


def test_every_object_is_valid(objects: Objects) -> None:
    for (kind, _), found in objects.items():
        if kind not in OTHERS:
            kubernetes_validate.validate(found, VERSION, strict=True)


def pods(objects: Objects) -> Iterator[tuple[str, Any]]:
    for (kind, name), found in objects.items():
        if kind in ("Deployment", "Job"):
            yield name, found["spec"]["template"]


def test_everything_runs_confined(objects: Objects) -> None:
    for name, pod in pods(objects):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not spec["automountServiceAccountToken"], name
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name


def test_no_secret_is_in_a_variable(objects: Objects) -> None:
    for name, pod in pods(objects):
        [container] = pod["spec"]["containers"]
        mounts = [m["mountPath"] for m in container["volumeMounts"]]
        for variable in container["env"]:
            if "PASSWORD" in variable["name"]:
                assert variable["name"].endswith("_FILE"), name
                assert any(variable["value"].startswith(f"{mount}/") for mount in mounts), name


def test_the_services_know_every_variable(objects: Objects) -> None:
    config = next(o for (kind, n), o in objects.items() if kind == "ConfigMap" and "-ca-" not in n)
    told = {name for name in config["data"] if name.startswith("NASTAVNIK_")}
    for name, settings in SERVICES.items():
        known = {f"NASTAVNIK_{field.upper()}" for field in settings.model_fields}
        known |= {f"{variable}_FILE" for variable in known}
        [container] = objects["Deployment", name]["spec"]["template"]["spec"]["containers"]
        own = {v["name"] for v in container["env"]} - {"DATABASE_HOST"}
        assert told | own <= known
        users = {right.user for right in kafka_rights.rights()}
        user = next(v for v in container["env"] if v["name"] == "NASTAVNIK_KAFKA_USERNAME")
        assert user["value"] in users


def test_a_rolling_update_takes_nothing_away_before_its_replacement_works(objects: Objects) -> None:
    for name in SERVICES:
        found = objects["Deployment", name]["spec"]
        assert found["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        spec = found["template"]["spec"]
        [container] = spec["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        # the server waits for open requests for ten seconds, then batches are finished
        assert spec["terminationGracePeriodSeconds"] >= pause + 30
        assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"
        assert objects["PodDisruptionBudget", name]["spec"]["maxUnavailable"] == 1
        assert objects["Service", name]["spec"]["selector"].items() <= (
            found["template"]["metadata"]["labels"].items()
        )


def test_nobody_reaches_anybody_unless_named(objects: Objects) -> None:
    closed = objects["NetworkPolicy", "nothing"]["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = [pod["metadata"]["labels"] for _, pod in pods(objects)]
    servers = objects["NetworkPolicy", "servers"]["spec"]["podSelector"]["matchLabels"]
    assert all(servers.items() <= found.items() for found in labels)


def test_the_projector_is_never_more_than_its_partitions(objects: Objects) -> None:
    found = objects.get(("ScaledObject", "metrics"))
    if found is None:
        assert ("HorizontalPodAutoscaler", "metrics") not in objects
        return
    config = next(o for (kind, _), o in objects.items() if kind == "ConfigMap")
    assert found["spec"]["maxReplicaCount"] == int(config["data"]["NASTAVNIK_KAFKA_PARTITIONS"])
    [trigger] = found["spec"]["triggers"]
    assert 'nastavnik_consumer_lag_records{consumer="projector"}' in trigger["metadata"]["query"]
