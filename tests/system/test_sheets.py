"""From a clerk's workbook to the figure, by the command, and no name on the way to the figures."""

import io
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from nastavnik_common import db
from nastavnik_local import cli
from nastavnik_local.scenario_api import Api
from tests.system.helpers import DAY, System, World, until, until_figures

PEOPLE = ["Код участника", "Фамилия", "Имя", "Дата рождения", "Кто это"]


class Clerk:
    """Somebody with a spreadsheet program and the command."""

    def __init__(self, running: System, directory: Path, school: str) -> None:
        self._running, self._directory, self._school = running, directory, school

    def sheet(self, command: str, kind: str, *more: str) -> tuple[int, str]:
        argv = ["sheet", command, kind, *more, "--organization", self._school]
        argv += ["--registry-url", self._running.url("registry")]
        argv += ["--activity-url", self._running.url("activity")]
        done = CliRunner().invoke(cli.app, argv)
        return done.exit_code, done.output

    def upload(self, kind: str, content: bytes) -> tuple[int, str]:
        path = self._directory / f"{kind}.xlsx"
        path.write_bytes(content)
        return self.sheet("upload", kind, str(path), "--source", "journal")

    def template(self, kind: str) -> Workbook:
        path = self._directory / f"{kind}-template.xlsx"
        code, said = self.sheet("template", kind, "--out", str(path))
        assert code == 0, said
        return load_workbook(path)

    def copy(self, kind: str) -> Workbook:
        return load_workbook(self._directory / f"{kind}-errors.xlsx")


def saved(book: Workbook) -> bytes:
    book.save(stream := io.BytesIO())
    return stream.getvalue()


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book)


def filled(book: Workbook, **values: Any) -> bytes:
    """The template with a row in it, by the headings' beginnings."""
    sheet = book.worksheets[0]
    headings = {str(cell.value): cell.column for cell in sheet[1]}
    for name, value in values.items():
        column = next(at for title, at in headings.items() if title.startswith(name))
        assert column is not None
        sheet.cell(2, column).value = value
    return saved(book)


@pytest.fixture
async def world(api: Api) -> World:
    made = World(api)
    await made.places()
    return made


async def test_a_clerks_sheets_become_figures(
    running: System, api: Api, world: World, tmp_path: Path
) -> None:
    clerk = Clerk(running, tmp_path, world.school)
    rows = [
        ["у-1", "Жемчужникова", "Алёна", "12.03.2011", "ученица"],
        ["у-2", "Перепёлкин", "Семён", "01.10.2012", "ученик"],
        ["у-3", "Щегольков", "Лев", "02.10.2012", "ученик"],
    ]
    code, said = clerk.upload("participants", workbook(PEOPLE, *rows))
    assert (code, said.split(",")[2].strip()) == (0, "created 3"), said

    book = clerk.template("mentorships")
    labels = [str(cell.value) for (cell,) in book["Люди"].iter_rows(min_row=2, max_col=1)]
    assert len(labels) == 3
    pairs = filled(
        book,
        Ключ="Жемчужникова-1",
        Форма="ученик – ученик",
        Дата=DAY.replace(day=1),
        Наставник=labels[0],
        Наставляемый=labels[1],
    )

    async def known() -> bool:
        """The activity service hears of people by events."""
        return clerk.upload("mentorships", pairs)[0] == 0

    await until(known)
    assert "unchanged 1" in clerk.upload("mentorships", pairs)[1]

    given = {"Ключ встречи": "1", "Ключ пары": "Жемчужникова-1", "Дата": DAY, "Начало": "09:00"}
    wrong = filled(clerk.template("sessions"), **given, Минут=45, Отсутствовали="Щегольков Лев")
    code, said = clerk.upload("sessions", wrong)
    assert (code, "J2: " in said, "session.outsider" in said) == (1, True, True), said
    comment = clerk.copy("sessions").worksheets[0]["J2"].comment
    assert comment is not None
    assert "не состоит" in comment.text

    right = filled(clerk.template("sessions"), **given, Минут=45)
    code, said = clerk.upload("sessions", right)
    assert (code, "created 1" in said) == (0, True), said
    await until_figures(api, world.units, (2, 3))
    kept = await everything(await db.connect(running.servers.postgres.dsn("activity")))
    told = " ".join(str(line) for line in running.log("activity"))
    for name in ("Жемчужников", "Перепёлкин", "Щегольков"):
        assert name not in told
        assert name not in kept
        assert name.encode().hex() not in kept


async def everything(database: asyncpg.Connection) -> str:
    """All rows of all tables, bytes in hexadecimal."""
    names = await database.fetch(
        "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'"
    )
    tables = [
        await database.fetchval(f"select string_agg(t::text, ' ') from {row['name']} t")
        for row in names
    ]
    await database.close()
    return " ".join(filter(None, tables))
