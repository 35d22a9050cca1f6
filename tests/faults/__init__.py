"""How tests break a system: wires that are cut, processes that die at a chosen moment."""
