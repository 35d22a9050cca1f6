"""The shape of paths: an id, and after a colon the name of an action."""

from starlette.convertors import StringConvertor, register_url_convertor


class Segment(StringConvertor):
    """A part of a path without a colon, so that ``/imports/{id:segment}`` does not take what is
    for ``/imports/{id:segment}:undo``, and answer for its methods."""

    regex = "[^/:]+"


def register_segment() -> None:
    """Before the first route that has one."""
    register_url_convertor("segment", Segment())
