"""Writes, one function each, inside the caller's transaction and with their events.

Whoever writes about a mentorship or its sessions locks the mentorship's row first, several of
them in the order of their ids.
"""
