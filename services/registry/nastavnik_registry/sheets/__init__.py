"""Participants and headcounts as spreadsheets, and ids for names in other services' sheets."""
