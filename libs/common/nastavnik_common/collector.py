"""Python's cyclic garbage collector, in processes that make and drop many objects at a time."""

import gc


def relax() -> None:
    """Once, when a process has loaded what it needs.

    A batch makes hundreds of thousands of objects, nearly all of which die without the collector's
    help; by default it looks over all that are alive again and again meanwhile, which took half of
    the time of folding. What lives for ever is left out from now on, and the rest is looked over
    less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
