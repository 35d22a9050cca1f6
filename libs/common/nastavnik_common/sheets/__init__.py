"""Spreadsheets as they are: read, checked cell by cell, and answered at the cells.

A table is data (`table.py`): its columns, what people call them, what their cells hold. `reading`
turns a file into grids, `layout` finds the table in them, `rows` its values and what is wrong with
them, `markup` says so at the cells, `template` makes an empty file, `serving` speaks HTTP. What
rows mean is for the services to say.
"""
