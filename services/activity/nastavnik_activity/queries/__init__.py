"""Reads. Lists are in the order of ids, which never change, and page by the last one seen."""
