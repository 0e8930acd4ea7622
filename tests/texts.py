"""Pieces of the programs that tests run in processes of their own."""

#: NumPy, cNumeric as np, and the counters of a call.
PRELUDE = """
import numpy
import cnumeric as np

def counted(run):
    np.synchronize()
    np.stats_reset()
    made = run()  # what nobody holds would not be computed
    np.synchronize()
    return np.stats()
"""

#: A sweep of the pressure equation, as in a channel that is open at one end.
SWEEP = """
def sweep(p, b):
    pn = p.copy()
    p[1:-1, 1:-1] = ((pn[1:-1, 2:] + pn[1:-1, :-2]) + (pn[2:, 1:-1] + pn[:-2, 1:-1])) / 4 - b[1:-1, 1:-1]
    p[:, -1] = p[:, -2]
    p[:, 0] = p[:, 1]
    p[0, :] = p[1, :]
    p[-1, :] = 0
"""
