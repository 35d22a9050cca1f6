"""The alert rules, by their unit tests; and the unit tests, by rules that are a little wrong."""

import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules" / "nastavnik.yml"
TESTS = PROMETHEUS / "tests" / "nastavnik.yml"
THRESHOLD = re.compile(r"([<>]|==) ([\d.]+)\s*$")
Rule = dict[str, Any]


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    document = yaml.safe_load(RULES.read_text())
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool here (it comes with Prometheus)")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_every_alert_does_what_its_unit_tests_say(promtool: str) -> None:
    done = run(promtool, "test", "rules", TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_unit_tests_on_both_sides_of_its_threshold(rules: dict[str, Rule]) -> None:
    document = yaml.safe_load(TESTS.read_text())
    raised: set[str] = set()
    quiet: set[str] = set()
    for test in document["tests"]:
        for case in test["alert_rule_test"]:
            (raised if case["exp_alerts"] else quiet).add(case["alertname"])
    assert raised == quiet == rules.keys()


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def _threshold(change: Callable[[float], float]) -> Callable[[Rule], Rule]:
    def mutate(rule: Rule) -> Rule:
        expr, number = THRESHOLD.subn(
            lambda found: f"{found[1]} {change(float(found[2])):g}", rule["expr"].strip()
        )
        assert number == 1, rule["expr"]
        return {**rule, "expr": expr}

    return mutate


def _delay(times: float) -> Callable[[Rule], Rule]:
    return lambda rule: {**rule, "for": f"{int(_seconds(rule['for']) * times)}s"}


MUTATIONS = {
    "higher": _threshold(lambda number: 2 * number if number else 1),
    "lower": _threshold(lambda number: number / 2 if number else -1),
    "later": _delay(2),
    "sooner": _delay(0.5),
}


def _mutants(rules: dict[str, Rule], folder: Path) -> Iterator[Path]:
    tests = yaml.safe_load(TESTS.read_text())
    for name, rule in rules.items():
        for how, mutate in MUTATIONS.items():
            one = copy.deepcopy(tests)
            one["rule_files"] = [f"{name}.{how}.rules.yml"]
            one["tests"] = [t for t in tests["tests"] if t["name"].startswith(f"{name} ")]
            document = {"groups": [{"name": "mutant", "rules": [mutate(rule)]}]}
            (folder / one["rule_files"][0]).write_text(yaml.safe_dump(document))
            path = folder / f"{name}.{how}.yml"
            path.write_text(yaml.safe_dump(one))
            yield path


def test_no_other_threshold_or_delay_would_do(
    promtool: str, rules: dict[str, Rule], tmp_path: Path
) -> None:
    mutants = list(_mutants(rules, tmp_path))
    done = run(promtool, "test", "rules", *mutants)
    verdicts = re.split(r"Unit Testing:\s+", done.stdout + done.stderr)[1:]
    assert len(verdicts) == len(mutants) == len(rules) * len(MUTATIONS), done.stderr
    survived = [verdict.split()[0] for verdict in verdicts if "SUCCESS" in verdict]
    assert not survived


def test_every_alert_says_how_bad_it_is_and_what_to_do(rules: dict[str, Rule]) -> None:
    for name, rule in rules.items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        notes = rule["annotations"]
        assert notes.keys() == {"summary", "description", "runbook_url"}, name
        page = ROOT / notes["runbook_url"]
        assert page == ROOT / "docs" / "runbooks" / f"{name}.md"
        text = page.read_text()
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["What it means", "Look", "Do", "It is over when"], name
        assert re.search(r"^```sh\n.+", text, re.MULTILINE), f"{name}: no command"


def test_every_runbook_belongs_to_an_alert(rules: dict[str, Rule]) -> None:
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages - {"README"} == rules.keys()
