"""How long tests wait for what is to come: no bound breaks on a busy machine.

A wait ends as soon as what it waits for is there; only a test that fails takes so long.
"""

PATIENCE = 300.0
