"""An act of destruction of personal data to print, in Russian."""

from collections.abc import Iterable
from html import escape

from nastavnik_registry import bodies
from nastavnik_registry.domain.privacy import BASES_RU, CATEGORIES_RU

_KINDS = {
    "erased": "уничтожены персональные данные; обезличенные сведения о занятиях сохранены",
    "deleted": "запись удалена полностью, как если бы её не было",
    "contacts_destroyed": "уничтожены контактные данные",
}
_SYSTEM = "Информационная система «Наставник», служба registry, база данных PostgreSQL"
_METHOD = "удаление значений из таблиц базы данных; средствами системы их не восстановить"
_STYLE = (
    "body{font:12pt/1.4 serif;max-width:19cm;margin:2cm auto}"
    "h1{font-size:14pt;text-align:center}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid;padding:3px 6px;text-align:left;vertical-align:top}"
    "th{width:35%;font-weight:normal}"
)
_LISTED = 100


def page(act: bodies.DestructionAct) -> str:
    when = act.drawn_at.strftime("%d.%m.%Y %H:%M:%S UTC")
    rows = [
        ("Оператор (наименование, адрес)", "&nbsp;<br>&nbsp;"),
        ("Субъекты (идентификаторы в системе)", _subjects(act)),
        ("Категории уничтоженных данных", _listed(CATEGORIES_RU.get(c, c) for c in act.categories)),
        ("Информационная система", _SYSTEM),
        ("Способ уничтожения", _METHOD),
        ("Что сделано", escape(_KINDS.get(act.kind, act.kind))),
        ("Причина", escape(BASES_RU.get(act.basis, act.basis))),
        ("Дата уничтожения", when),
        ("Кто уничтожил (обозначение учётной записи)", escape(act.actor or "служба")),
        ("Подпись, фамилия, должность", "&nbsp;<br>&nbsp;"),
    ]
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    title = f"Акт № {act.number} об уничтожении персональных данных"
    return (
        f'<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><table>{body}</table>"
        f"<h1>Выгрузка из журнала регистрации событий</h1>{_log(act)}</body></html>"
    )


def _subjects(act: bodies.DestructionAct) -> str:
    ids = [str(ident) for ident in act.participant_ids]
    more = f"<br>и ещё {len(ids) - _LISTED}" if len(ids) > _LISTED else ""
    return f"Всего: {len(ids)}<br>" + "<br>".join(ids[:_LISTED]) + more


def _listed(names: Iterable[str]) -> str:
    return "<br>".join(escape(name) for name in names)


def _log(act: bodies.DestructionAct) -> str:
    lines = "".join(
        f"<tr><td>{entry.id}</td><td>{entry.at.strftime('%d.%m.%Y %H:%M:%S UTC')}</td>"
        f"<td>{escape(entry.action)}</td><td>{escape(entry.actor or 'служба')}</td>"
        f"<td>{escape(entry.route)}{escape(f' · {entry.cause}' if entry.cause else '')}</td></tr>"
        for entry in act.log or ()
    )
    heads = ("Запись", "Время", "Событие", "Учётная запись", "Операция")
    return f"<table><tr>{''.join(f'<td>{h}</td>' for h in heads)}</tr>{lines}</table>"
