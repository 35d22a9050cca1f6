"""Rosters pulled from OneRoster 1.2 providers, and handed to the imports as packages."""
