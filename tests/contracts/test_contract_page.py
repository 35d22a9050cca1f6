"""The event contract in a browser: one page that says what the AsyncAPI document says, alone."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from nastavnik_common import contract, contract_page
from nastavnik_common.events import KINDS

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Text, ids and links; and whether every element that was opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [(tag, given[name]) for name in ("src", "srcset") if name in given]
        if tag in ("script", "link", "iframe", "object", "base"):
            self.loaded.append((tag, given.get("href")))
        if tag not in VOID:
            self.open.append(tag)
        self.ids |= {given["id"]} if given.get("id") else set()  # type: ignore[arg-type]
        self.links |= {given["href"]} if given.get("href") else set()  # type: ignore[arg-type]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html() -> str:
    return contract_page.page(contract.asyncapi())


def test_it_is_whole_and_loads_nothing(html: str) -> None:
    read = Reader(html)
    assert read.open == []
    assert read.loaded == []
    assert not re.search(r"@import|url\(", html)


def test_it_names_every_topic_event_field_and_header(html: str) -> None:
    read = Reader(html)
    assert {kind.name for kind in KINDS} <= read.ids
    assert all(link.removeprefix("#") in read.ids for link in read.links)
    for kind in KINDS:
        assert kind.topic in read.text
        section = re.search(rf'<section id="{kind.name}">.*?</section>', html, re.DOTALL)
        assert section is not None
        said = unescape(section[0])
        for verb in kind.verbs:
            assert kind.type(verb) in said
        for definition in contract.schema(kind)["$defs"].values():
            for name, field in definition["properties"].items():
                assert name in said, f"{kind.name}: {name}"
                assert field.get("description", "") in said
    for header in ("ce_sequence", "ce_partitionkey", "content-type"):
        assert header in read.text


def test_its_examples_are_the_golden_ones(html: str) -> None:
    shown = [unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL)]
    wanted: list[Any] = [example["data"] for example in contract.examples().values()]
    told = [json.loads(text.split("\n\n", 1)[1]) for text in shown]
    assert sorted(map(json.dumps, told)) == sorted(map(json.dumps, wanted))


def test_what_a_description_says_is_text_and_no_markup() -> None:
    document = json.loads(json.dumps(contract.asyncapi("metrics")))
    document["components"]["schemas"]["indicator"]["description"] = "<script>alert(1)</script>"
    assert "<script>" not in contract_page.page(document)
