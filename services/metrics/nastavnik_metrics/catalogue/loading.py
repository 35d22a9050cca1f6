"""Loading a catalogue: what is broken is refused, with the place and the reason."""

import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path

import msgspec

from nastavnik_metrics.catalogue.model import Catalogue, Indicator, Measure, Term


class CatalogueError(ValueError):
    """A definition is refused; the message names the place and the reason."""


def load(path: Path | None = None) -> Catalogue:
    """The catalogue of a file, by default the one shipped; CatalogueError when it is broken."""
    if path is None:
        return parse((resources.files(__package__) / "catalogue.toml").read_text())
    return parse(path.read_text())


def parse(text: str) -> Catalogue:
    try:
        catalogue = msgspec.convert(tomllib.loads(text), Catalogue)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CatalogueError(str(error)) from error
    _unique("measure", [m.code for m in catalogue.measures])
    _unique("indicator", [f"{i.code} version {i.version}" for i in catalogue.indicators])
    for measure in catalogue.measures:
        _check_measure(measure)
    known = {m.code for m in catalogue.measures}
    for indicator in catalogue.indicators:
        _check_indicator(indicator, known)
    return catalogue


def _unique(what: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise CatalogueError(f"{what} {name} is defined {times} times")


def _check_measure(measure: Measure) -> None:
    place = f"measure {measure.code}"
    if len(measure.sorts) != 1:
        raise CatalogueError(f"{place}: it must be of one sort, not {measure.sorts or 'none'}")
    if measure.engaged is not None and measure.who is None:
        raise CatalogueError(f"{place}: engaged goes with who")
    if measure.who is not None:
        for name, span in (("age", measure.who.age), ("experience", measure.who.experience)):
            if span is not None and span[0] > span[1]:
                raise CatalogueError(f"{place}: {name} {span} is empty")
    if measure.change is not None and (measure.change.scale is None) == (
        measure.change.domain is None
    ):
        raise CatalogueError(f"{place}: a change is of a scale or of a domain")


def _check_indicator(indicator: Indicator, known: set[str]) -> None:
    place = f"indicator {indicator.code}"
    alone = indicator.unit in ("count", "rub", "hours")
    if alone and indicator.denominator:
        raise CatalogueError(f"{place}: a {indicator.unit} takes no denominator")
    if not alone and not indicator.denominator:
        raise CatalogueError(f"{place}: a {indicator.unit} needs a denominator")
    for term in indicator.terms:
        _check_term(place, term, known)
    effect = indicator.effect
    for code in (effect.pairs, effect.sum, effect.squares) if effect else ():
        if code not in known:
            raise CatalogueError(f"{place}: there is no measure {code}")


def _check_term(place: str, term: Term, known: set[str]) -> None:
    needs = term.count != "organizations"
    if needs and term.measure is None:
        raise CatalogueError(f"{place}: a term that counts {term.count} needs a measure")
    if not needs and term.measure is not None:
        raise CatalogueError(f"{place}: counting organizations takes no measure")
    if term.measure is not None and term.measure not in known:
        raise CatalogueError(f"{place}: there is no measure {term.measure}")
