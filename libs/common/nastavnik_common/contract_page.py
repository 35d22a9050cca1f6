"""The event contract as one page for a browser: no script, no style or font from elsewhere."""

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --link: #7db2ff; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
a { color: var(--link); }
nav ul { columns: 3 14rem; padding-left: 1.2rem; }
section { border-top: 1px solid var(--line); margin-top: 2.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
th { background: var(--soft); }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { background: var(--soft); overflow-x: auto; padding: .75rem; }
summary { cursor: pointer; margin: .4rem 0; }
dt { font-weight: 600; }
"""


def page(document: Json) -> str:
    """An AsyncAPI document of ours → HTML."""
    info = document["info"]
    title = f"{info['title']} {info['version']}"
    channels = sorted(document["channels"].items())
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(info['description'])}</p>",
        _reading(document),
        _contents(channels),
        *(_channel(document, name, channel) for name, channel in channels),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _reading(document: Json) -> str:
    """What holds for every event; the headers are the same everywhere but for the type."""
    message = next(iter(document["components"]["messages"].values()))
    headers = message["headers"]
    rows = (
        [
            f"<code>{escape(name)}</code>",
            "yes" if name in headers["required"] else "",
            escape(described["description"]),
        ]
        for name, described in headers["properties"].items()
    )
    return (
        "<p>CloudEvents 1.0 in the Kafka binary binding. The key is the aggregate's id, the value"
        " its whole state as JSON, and a record without a value a tombstone. Keep the highest"
        " <code>ce_sequence</code> of each aggregate and drop the rest.</p>"
        '<section id="headers"><h2>Headers of every record</h2>'
        + _table(("header", "always", "meaning"), rows)
        + "</section>"
    )


def _contents(channels: list[tuple[str, Json]]) -> str:
    items = (
        f'<li><a href="#{escape(name)}">{escape(channel["address"])}</a></li>'
        for name, channel in channels
    )
    return f"<nav><h2>Topics</h2><ul>{''.join(items)}</ul></nav>"


def _channel(document: Json, name: str, channel: Json) -> str:
    messages = [_resolved(document, ref) for ref in channel["messages"].values()]
    schema = document["components"]["schemas"][name]
    return (
        f'<section id="{escape(name)}"><h2>{escape(channel["address"])}</h2>'
        f"<p>{escape(schema.get('description', ''))}</p><p>{escape(channel['description'])}</p>"
        f"<dl>{_parties(document, name)}</dl>"
        f"<h3>State</h3>{_table(('field', 'type', 'always', 'meaning'), _fields(schema))}"
        f"<h3>Events</h3>{''.join(map(_event, messages))}</section>"
    )


def _parties(document: Json, name: str) -> str:
    """Who publishes and who consumes, out of the names of the operations."""
    found: dict[str, list[str]] = {"send": [], "receive": []}
    for operation, described in document["operations"].items():
        if described["channel"]["$ref"] == f"#/channels/{name}":
            found[described["action"]].append(operation.split(".")[0])
    titles = {"send": "Published by", "receive": "Consumed by"}
    return "".join(
        f"<dt>{titles[action]}</dt><dd>{escape(', '.join(services))}</dd>"
        for action, services in found.items()
        if services
    )


def _event(message: Json) -> str:
    shown = "".join(
        f"<pre>{escape(_headers_text(example['headers']))}\n\n"
        f"{escape(json.dumps(example['payload'], ensure_ascii=False, indent=2))}</pre>"
        for example in message.get("examples", ())
    )
    return f"<details><summary><code>{escape(message['name'])}</code></summary>{shown}</details>"


def _headers_text(headers: Json) -> str:
    return "\n".join(f"{name}: {text}" for name, text in headers.items())


def _resolved(document: Json, ref: Json) -> Json:
    found: Json = document["components"]["messages"][ref["$ref"].rsplit("/", 1)[-1]]
    return found


def _fields(schema: Json, path: str = "") -> Iterator[list[str]]:
    """A row for every field, those inside objects and lists of them included."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        always = "yes" if name in schema.get("required", ()) else ""
        meaning = escape(field.get("description", ""))
        yield [f"<code>{escape(here)}</code>", escape(_type(field)), always, meaning]
        for inner, suffix in _inside(field):
            yield from _fields(inner, f"{here}{suffix}.")


def _inside(field: Json) -> Iterator[tuple[Json, str]]:
    for option in field.get("anyOf", [field]):
        if option.get("type") == "array":
            yield option["items"], "[]"
        elif option.get("type") == "object":
            yield option, ""


def _type(field: Json) -> str:
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of: {_type(field['items'])}"
    name = str(field.get("format", field.get("type", "anything")))
    bounds = [f"{sign} {field[key]}" for key, sign in _BOUNDS.items() if key in field]
    return " ".join([name, *bounds])


_BOUNDS = {"minimum": "≥", "maximum": "≤", "minLength": "length ≥", "maxLength": "length ≤"}


def _table(heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
