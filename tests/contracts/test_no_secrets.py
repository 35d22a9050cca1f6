"""Nothing that is committed is a secret, by the patterns of detect-secrets."""

import subprocess
from pathlib import Path

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
# What only looks like one. Others of its kind in the same file are still found by their number.
KNOWN = {
    ("README.md", "Basic Auth Credentials"): 1,  # postgresql+asyncpg://user:password@host
    ("deploy/k8s/base/activity.yaml", "Secret Keyword"): 1,  # paths of mounted files
    ("deploy/k8s/base/jobs.yaml", "Secret Keyword"): 4,
    ("deploy/k8s/base/metrics.yaml", "Secret Keyword"): 1,
    ("deploy/k8s/base/registry.yaml", "Secret Keyword"): 1,
    ("docs/guides/oneroster-rest.md", "Secret Keyword"): 1,  # an example
    ("services/registry/nastavnik_registry/pulling/config.py", "Secret Keyword"): 1,  # its example
}
PLUGINS = (
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector",
    "GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SlackDetector", "StripeDetector",
    "TelegramBotTokenDetector",
)  # fmt: skip
# Tests make up their own; generated documents and hashes are no places for any.
SKIPPED = (
    "tests/",
    "docs/openapi/",
    "docs/schemas/",
    "docs/asyncapi.json",
    "docs/events/index.html",
)


def committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    names = [n for n in listed.stdout.splitlines() if (ROOT / n).is_file()]
    return [n for n in names if not n.startswith(SKIPPED) and not n.endswith(".lock")]


def found(paths: list[Path]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    with transient_settings({"plugins_used": [{"name": name} for name in PLUGINS]}):
        for path in paths:
            for secret in scan_file(str(path)):
                at = (str(path), secret.type)
                counts[at] = counts.get(at, 0) + 1
    return counts


def test_no_secret_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert found([Path(name) for name in committed()]) == KNOWN


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text('password = "kR8v2mQ9tLx4"\n' + "-----BEGIN RSA PRIVATE " + "KEY-----\n")
    assert {kind for _, kind in found([planted])} == {"Secret Keyword", "Private Key"}
