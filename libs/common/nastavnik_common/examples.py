"""Bodies to begin with, for the descriptions of the APIs. The ids are of nobody."""

from typing import Any

from pydantic import ConfigDict

REGION = "01990000-0000-7000-8000-000000000001"
SCHOOL = "01990000-0000-7000-8000-000000000003"
MENTOR = "01990000-0000-7000-8000-000000000011"
MENTEE = "01990000-0000-7000-8000-000000000012"
MENTORSHIP = "01990000-0000-7000-8000-000000000021"


def example(**fields: Any) -> ConfigDict:
    """Configures a model to be described with this body."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
