"""Plans of known programs, as text: a lost fusion, a copy too many or more bytes fail here.

The text names no extents or addresses; bytes are of the extents below. After a change that is meant:
``CNUMERIC_TEST_UPDATE=1 pytest tests/test_plans.py``, and read the difference.
"""

import os
import pathlib
import re

import cnumeric as np
import numpy
import pytest

pytestmark = pytest.mark.default_settings

FOLDER = pathlib.Path(__file__).parent / "plans"


def jacobi_sweeps():
    p = np.ones((64, 64))
    np.flush()
    for _ in range(2):
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[:-2, 1:-1] + old[2:, 1:-1] + old[1:-1, :-2] + old[1:-1, 2:])
    return p


def boundary_after_interior():
    p, b = np.ones((64, 64)), np.ones((64, 64))
    np.flush()
    old = p.copy()
    p[1:-1, 1:-1] = old[1:-1, 2:] + old[1:-1, :-2] - b[1:-1, 1:-1]
    p[:, -1] = p[:, -2]
    p[0, :] = p[1, :]
    return p


def chain_of_casts_and_selections():
    x, n = np.ones(1000), np.arange(1000)
    np.flush()
    return np.where(x > 0.5, np.clip(x, 0, 2), -x).astype("f4") + n


def reductions_of_one_sweep():
    x, y = np.ones((50, 40)), np.ones((50, 40))
    np.flush()
    d = x - y
    return (d * d).mean(axis=1), d.max(axis=1)


def variance_along_columns():
    x = np.ones((50, 40))
    np.flush()
    return x.var(axis=0)


def update_in_place():
    u, v = np.ones(1000), np.ones(1000)
    np.flush()
    u += 0.5 * v
    v *= 2
    return u, v


def temporaries_beside_a_boundary():
    u, p = np.ones((64, 64)), np.ones((64, 64))
    np.flush()
    p[0, :] = p[1, :]
    u[1:-1, 1:-1] = u[1:-1, 1:-1] * 2.0 - 0.5 * (p[2:, 1:-1] - p[:-2, 1:-1])
    return u, p


def copy_that_is_never_written():
    x = np.ones(1000)
    np.flush()
    y = x.copy()
    return x + y


def broadcast_outer_sum():
    x, y = np.ones(40), np.ones(50)
    np.flush()
    return (x[:, None] + y[None, :]).sum(axis=0)


def select_by_masks_of_a_row():
    x, row = np.ones((50, 40)), np.arange(40.0)
    np.flush()
    return np.where((x > row) & (row < 9), np.sqrt(np.clip(x, 0, row)), x.astype("f4") * 2)


def reductions_of_a_selection():
    x = np.ones((50, 40))
    np.flush()
    kept = np.where(x > 0.5, x, 0)
    return kept.sum(axis=1), np.minimum(kept, 2).max(axis=1)


def normalised_rows():
    x = np.arange(2000.0).reshape(50, 40)
    np.flush()
    return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)


def mean_of_clipped_integers():
    n = np.arange(1000)
    np.flush()
    return np.clip(n, 10, 900).astype("f4").mean(axis=0, keepdims=True)


def laplacian_by_rolling():
    p = np.ones((64, 64))
    np.flush()
    return np.roll(p, 1, 0) + np.roll(p, -1, 0) + np.roll(p, 1, 1) + np.roll(p, -1, 1) - 4 * p


def rolled_line():
    x = np.ones(1000)
    np.flush()
    return np.roll(x * 2, 3) + x


def residual_and_its_square():
    r, q = np.ones(1 << 17), np.ones(1 << 17)
    np.flush()
    r = r - 0.5 * q
    return r, r @ r, r.dot(q)


def concatenation_of_expressions():
    x, y = np.ones(1000), np.ones(500)
    np.flush()
    return np.concatenate([x * 2, y + 1])


def reaction_and_diffusion_by_rolling():
    u, v = np.ones((64, 64)), np.full((64, 64), 0.5)
    np.flush()
    around_u = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
    around_v = np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1) - 4 * v
    reaction = u * v * v
    u += 0.16 * around_u - reaction + 0.06 * (1 - u)
    v += 0.08 * around_v + reaction - 0.12 * v
    del around_u, around_v, reaction
    return u, v


def rolled_and_kept():
    x = np.ones(1000)
    np.flush()
    ahead = np.roll(x, -1)
    return ahead, ahead - x


def neighbours_of_a_row():
    x = np.ones((50, 40))
    np.flush()
    return np.roll(np.roll(x, 1, 0), 1, 1) + np.roll(x, (1, -1), (0, 1))


def chain_through_a_concatenation():
    x, y = np.ones(1000), np.ones(500)
    np.flush()
    return np.sqrt(np.concatenate([x * 2, y + 1])) + 1


def chain_through_stacks():
    x, y = np.ones(1000), np.ones(1000)
    np.flush()
    return np.stack([x * y, -y], axis=1) * 2 + np.column_stack([x, y])


def chain_through_blocks():
    x = np.ones((50, 40))
    np.flush()
    return np.block([[x * 2, x + 1], [x - 1, -x]]) * 3


def padded_expression():
    x = np.ones((50, 40))
    np.flush()
    return np.pad(x * 2, 1, constant_values=7) - 1


def differences_of_slices():
    x = np.ones(1000)
    np.flush()
    return ((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2)[::2] + np.diff(x)[1::2]


def stacked_and_summed():
    x, y = np.ones(1000), np.ones(1000)
    np.flush()
    return np.stack([x, -y]).sum(axis=0)


def masked_sum():
    x = np.ones(1000)
    np.flush()
    return (x[::-1] * 3).sum(where=x > 0.5, keepdims=True)


PROGRAMS = [
    jacobi_sweeps,
    boundary_after_interior,
    chain_of_casts_and_selections,
    reductions_of_one_sweep,
    variance_along_columns,
    update_in_place,
    temporaries_beside_a_boundary,
    copy_that_is_never_written,
    broadcast_outer_sum,
    select_by_masks_of_a_row,
    reductions_of_a_selection,
    normalised_rows,
    mean_of_clipped_integers,
    laplacian_by_rolling,
    rolled_line,
    concatenation_of_expressions,
    reaction_and_diffusion_by_rolling,
    rolled_and_kept,
    neighbours_of_a_row,
    chain_through_a_concatenation,
    chain_through_stacks,
    chain_through_blocks,
    padded_expression,
    differences_of_slices,
    stacked_and_summed,
    masked_sum,
]


def plan_of(program):
    """The text of the plans that the program's last window needs."""
    before = {name: np.settings()[name] for name in ("period_ops", "copy_bytes")}
    np.settings(period_ops=0, copy_bytes=0)  # one window, and all of it in there
    try:
        np.flush()
        program()  # what is kept for good is there
        np.flush()
        np.explain(True)
        kept = program()
        np.flush()
        text = np.explain(False)
    finally:
        np.settings(**before)
    del kept
    text = re.sub(r"^  from .*\n", "", text, flags=re.M)
    return "plan:" + text.rsplit("plan:", 1)[1]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_plan(program):
    path = FOLDER / f"{program.__name__}.txt"
    text = plan_of(program)
    if os.environ.get("CNUMERIC_TEST_UPDATE"):
        path.write_text(text)
    assert text == path.read_text()


def launches(text):
    return len(re.findall(r"^  launch ", text, flags=re.M))


def test_programs_that_are_one_launch():
    for program in (
        chain_of_casts_and_selections,
        update_in_place,
        copy_that_is_never_written,
        broadcast_outer_sum,
        reductions_of_a_selection,
        concatenation_of_expressions,
        masked_sum,
        laplacian_by_rolling,
        reaction_and_diffusion_by_rolling,
        rolled_and_kept,
        chain_through_a_concatenation,
        chain_through_stacks,
        chain_through_blocks,
        padded_expression,
    ):
        assert launches(plan_of(program)) == 1, program.__name__


def test_reductions_share_their_sweep():
    text = plan_of(reductions_of_one_sweep)
    assert text.count("= subtract") == 1 and text.count("reduce ") == 2
    assert launches(text) == 2  # the sweep, and the division of its sums


def test_products_of_long_vectors_share_the_sweep_that_makes_them():
    assert launches(plan_of(residual_and_its_square)) == 1


def test_what_several_launches_share():
    assert launches(plan_of(select_by_masks_of_a_row)) == 2  # what is of the row alone, and the rest
    assert launches(plan_of(mean_of_clipped_integers)) == 2  # the sum, and its division
    assert launches(plan_of(differences_of_slices)) == 2  # a slice of a result is read when that is there
    assert launches(plan_of(normalised_rows)) == 5
    assert launches(plan_of(rolled_line)) == 2  # a rolled result is read when that is there
    assert launches(plan_of(neighbours_of_a_row)) == 2  # the first roll of two, and the rest
    assert launches(plan_of(stacked_and_summed)) == 2  # what is reduced is not cut


def traffic(program):
    """Bytes read and written by the program's last window."""
    return tuple(map(int, re.search(r"reads (\d+) bytes, writes (\d+)", plan_of(program)).groups()))


def test_rolls_move_nothing():
    grid = numpy.ones((64, 64)).nbytes
    assert traffic(laplacian_by_rolling) == (grid, grid)
    assert traffic(reaction_and_diffusion_by_rolling) == (2 * grid, 2 * grid)


def test_what_is_joined_is_computed_where_it_is_read():
    assert traffic(chain_through_a_concatenation) == (1500 * 8, 1500 * 8)
    assert traffic(chain_through_blocks) == (2000 * 8, 8000 * 8)
    assert traffic(padded_expression) == (2000 * 8, 52 * 42 * 8)


def test_a_sweep_reads_and_writes_once():
    read, written = traffic(jacobi_sweeps)
    grid = numpy.ones((64, 64)).nbytes
    assert launches(plan_of(jacobi_sweeps)) == 2
    assert read <= 2.2 * grid and written <= 2.2 * grid


def test_temporaries_stay_out_of_memory():
    assert "group" in plan_of(temporaries_beside_a_boundary)
    slots = re.findall(r"^  s\d+: ", plan_of(temporaries_beside_a_boundary), flags=re.M)
    assert len(slots) <= 3
