"""`nastavnik dead-letters`: look at parked records of a running service, and deal with them.

The token of the `operations` role that it needs is taken from NASTAVNIK_TOKEN. Whose
it is stands in the trail.
"""

import base64
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from rich.table import Table
from rich.text import Text

from nastavnik_local.cli_system import Ports
from nastavnik_local.console import console, say
from nastavnik_local.tokens import headers

app = typer.Typer(no_args_is_help=True, help="Records that a service could not read.")


class Consumer(StrEnum):
    metrics = "metrics"
    activity = "activity"


class State(StrEnum):
    open = "open"
    resolved = "resolved"
    discarded = "discarded"


Service = Annotated[Consumer, typer.Option("--service", help="Which service parked them.")]
Url = Annotated[str | None, typer.Option(help="Where it is, if not at its port on this machine.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Ident = Annotated[int, typer.Argument(help="The letter's id.")]
Topic = Annotated[str | None, typer.Option(help="Only of this topic.")]
Code = Annotated[str | None, typer.Option(help="Only with this error code.")]


@app.command("list")
def list_letters(
    service: Service,
    topic: Topic = None,
    code: Code = None,
    state: State | None = State.open,
    url: Url = None,
    json: Json = False,
) -> None:
    """List letters, oldest first: the open ones, unless --state says otherwise."""
    wanted = {"topic": topic, "code": code, "state": state and str(state)}
    found = list(_pages(service, url, "/dead-letters", wanted))
    if json:
        _as_json(found)
        return
    made = Table("id", "place", "state", "code", "what is wrong", "parked")
    for x in found:
        place = f"{x['topic']}/{x['partition']}/{x['offset']}"
        row = (str(x["id"]), place, x["state"], x["code"], x["error"], x["parked_at"][:19])
        made.add_row(*map(Text, row))
    console.print(made)
    say(f"{len(found):,} letters")


@app.command()
def show(
    ident: Ident,
    service: Service,
    reveal: Annotated[bool, typer.Option(help="The record itself too; noted.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show one letter, and what was done with it."""
    place = f"/dead-letters/{ident}"
    params = {"reveal": True} if reveal else {}
    letter = _ask(service, url, "GET", place, params=params)
    trail = list(_pages(service, url, f"{place}/actions", {}))
    if json:
        _as_json({**letter, "actions": trail})
        return
    made = Table("field", "value", show_header=False)
    for name, value in letter.items():
        if value is not None:
            made.add_row(name, Text(value if isinstance(value, str) else _compact(value)))
    console.print(made)
    done = Table("when", "who", "what", "result", "detail")
    for a in trail:
        row = (a["at"][:19], a["by"] or "", a["action"], a["result"], a["detail"] or "")
        done.add_row(*map(Text, row))
    console.print(done)


@app.command()
def replay(
    service: Service,
    ident: Annotated[int | None, typer.Argument(help="One letter; else all that fit.")] = None,
    topic: Topic = None,
    code: Code = None,
    every: Annotated[bool, typer.Option("--all", help="All open letters.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Try again with today's code. Exit 1 if any stays open."""
    if ident is not None:
        _tell(_ask(service, url, "POST", f"/dead-letters/{ident}:replay"), json)
    if not (every or topic or code):
        raise typer.BadParameter("name a letter, --topic or --code, or say --all")
    tried: list[Any] = []
    after: int | None = 0
    while after is not None:
        body = {"topic": topic, "code": code, "after": after}
        done = _ask(service, url, "POST", "/dead-letters:replay", body)
        tried, after = tried + done["letters"], done["next_after"]
    failed = [x for x in tried if x["result"] == "failed"]
    if json:
        _as_json(tried)
    else:
        for x in failed:
            say(f"{x['id']} stays open: {x['code']}")
        say(f"{len(tried) - len(failed):,} resolved, {len(failed):,} stay open")
    raise typer.Exit(1 if failed else 0)


@app.command()
def fix(
    ident: Ident,
    service: Service,
    header: Annotated[
        list[str] | None, typer.Option(help="name=value; name= alone removes it. Repeatable.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The key, as text.")] = None,
    value_file: Annotated[
        Path | None, typer.Option(help="The value; - for standard input.")
    ] = None,
    tombstone: Annotated[bool, typer.Option("--tombstone", help="No value.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Store a corrected copy and try it; the original stays. Exit 1 if it fails."""
    body: dict[str, Any] = {}
    if header:
        pairs = [given.partition("=") for given in header]
        body["headers"] = {name: value or None for name, _, value in pairs}
    if key is not None:
        body["key_base64"] = base64.b64encode(key.encode()).decode()
    if value_file is not None:
        raw = sys.stdin.buffer.read() if str(value_file) == "-" else value_file.read_bytes()
        body["value_base64"] = base64.b64encode(raw).decode()
    elif tombstone:
        body["value_base64"] = None
    _tell(_ask(service, url, "POST", f"/dead-letters/{ident}:fix", body), json)


@app.command()
def discard(
    ident: Ident,
    service: Service,
    reason: Annotated[str, typer.Option(help="Why it shall never be applied.")],
    url: Url = None,
    json: Json = False,
) -> None:
    """Close a letter for good. It stays to be looked at."""
    body = {"reason": reason}
    letter = _ask(service, url, "POST", f"/dead-letters/{ident}:discard", body)
    _as_json(letter) if json else say(f"{ident} is discarded")


@app.command()
def resume(url: Url = None, json: Json = False) -> None:
    """Let the metrics service go on after a surge of unreadable records."""
    action = _ask(Consumer.metrics, url, "POST", "/dead-letters:resume")
    _as_json(action) if json else say("It goes on within seconds; /readyz says so.")


def _tell(done: Any, json: bool) -> None:
    letter = done["letter"]
    if json:
        _as_json(done)
    elif done["result"] == "failed":
        say(f"{letter['id']} stays open: {letter['code']}: {letter['error']}")
    else:
        say(f"{letter['id']} is resolved: {done['result']}")
    raise typer.Exit(1 if done["result"] == "failed" else 0)


def _ask(
    service: Consumer, url: str | None, method: str, path: str, body: Any = None, **more: Any
) -> Any:
    """The answer's body. A refusal, or no answer, is told and ends with exit code 2."""
    base = url or f"http://127.0.0.1:{getattr(Ports(), service)}"
    try:
        answer = httpx.request(
            method, base + path, json=body, timeout=120, headers=headers(), **more
        )
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        typer.echo(f"{base}: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(2) from error
    if answer.is_error:
        typer.echo(f"{found.get('code')}: {found.get('detail')}", err=True)
        raise typer.Exit(2)
    return found


def _pages(
    service: Consumer, url: str | None, path: str, params: dict[str, str | None]
) -> Iterator[Any]:
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    while True:
        page = _ask(service, url, "GET", path, params=given)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        given["cursor"] = page["next_cursor"]


def _compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _as_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
