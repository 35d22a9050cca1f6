"""A real Prometheus and a real Alertmanager, configured as in docker compose but for addresses,
intervals and two thresholds, which a test cannot wait for."""

import contextlib
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from nastavnik_local.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
THRESHOLDS = {"NastavnikConsumerLag": "> 0", "NastavnikFiguresLate": "> 3"}
Json = dict[str, Any]


class Monitoring:
    """Where they listen, and the alerts that have reached a receiver: by its name, newest last."""

    def __init__(self, prometheus: int) -> None:
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{prometheus}", timeout=10, trust_env=False
        )
        self.received: list[tuple[str, Json]] = []

    async def query(self, expr: str) -> list[Json]:
        """What an instant query answers; the test fails when it is an error."""
        answer = await self.client.get("/api/v1/query", params={"query": expr})
        body = answer.json()
        assert body["status"] == "success", (expr, body)
        found: list[Json] = body["data"]["result"]
        return found

    def state(self, alert: str) -> tuple[str, str] | None:
        """The receiver that heard last of an alert, and whether it was ``firing`` then."""
        heard = [
            (receiver, one["status"])
            for receiver, one in self.received
            if one["labels"]["alertname"] == alert
        ]
        return heard[-1] if heard else None


def _binary(*names: str) -> str:
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip(f"no {names[0]} here")
    return found


def _rules(folder: Path) -> None:
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        document = yaml.safe_load(path.read_text())
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            rule["for"] = "1s"
            if rule["alert"] in THRESHOLDS:
                rule["expr"] = re.sub(r"> \d+\s*$", THRESHOLDS[rule["alert"]], rule["expr"].strip())
        (folder / path.name).write_text(yaml.safe_dump(document))


def _prometheus(folder: Path, ports: Mapping[str, int]) -> Path:
    """`ports`: where the services, and the two themselves, listen."""
    document = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    document["global"] = {
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "evaluation_interval": "1s",
    }
    for job in (*document["scrape_configs"], *document["alerting"]["alertmanagers"]):
        for one in job["static_configs"]:
            name = one.get("labels", {}).get("service") or job.get("job_name", "alertmanager")
            one["targets"] = [f"127.0.0.1:{ports[name]}"]
    (folder / "rules").mkdir()
    _rules(folder / "rules")
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _alertmanager(folder: Path, webhook: int) -> Path:
    document = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    for route in (document["route"], *document["route"]["routes"]):
        route |= {"group_wait": "1s", "group_interval": "1s"}
    for receiver in document["receivers"]:
        url = f"http://127.0.0.1:{webhook}/{receiver['name']}"
        receiver["webhook_configs"] = [{"url": url}]
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@contextlib.contextmanager
def _webhook(monitoring: Monitoring, port: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            monitoring.received += [(self.path.strip("/"), one) for one in body["alerts"]]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _running(log: Path, *command: str) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def monitoring(folder: Path, services: Mapping[str, int]) -> Iterator[Monitoring]:
    """`services`: their ports by name. Skips where there is no Prometheus or no Alertmanager."""
    prometheus = _binary("prometheus")
    alertmanager = _binary("prometheus-alertmanager", "alertmanager")
    ports = {**services, "prometheus": free_port(), "alertmanager": free_port()}
    webhook = free_port()
    made = Monitoring(ports["prometheus"])
    with (
        _webhook(made, webhook),
        _running(
            folder / "alertmanager.log",
            alertmanager,
            f"--config.file={_alertmanager(folder, webhook)}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ),
        _running(
            folder / "prometheus.log",
            prometheus,
            f"--config.file={_prometheus(folder, ports)}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
        ),
    ):
        yield made
