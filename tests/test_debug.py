"""CNUMERIC_DEBUG=plan,kernel,comm: what the library tells of its work on the standard error stream."""

import os
import re
import subprocess
import sys

import devices
import pytest

pytestmark = pytest.mark.default_settings

PROGRAM = """
import cnumeric as np
u = np.ones((4000, 100))
for _ in range(20):
    u[1:-1] = (u[2:] + u[:-2]) / 2
np.synchronize()
print(np.stats()["plan_misses"], np.stats()["message_bytes"])
"""


def told(debug: str, **settings: str) -> tuple[list[int], str]:
    """What the program prints, and what it is told."""
    environment = {**os.environ, "CNUMERIC_DEBUG": debug}
    environment.update({f"CNUMERIC_{name.upper()}": value for name, value in settings.items()})
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return [int(word) for word in run.stdout.split()], run.stderr


def test_nothing_is_told_unasked():
    assert told("")[1] == ""


@pytest.mark.parametrize("places", ["1", "3"])
def test_each_plan_is_told_once(places):
    (misses, _), text = told("plan", places=places)
    assert text.count("cnumeric plan: plan: ") == misses > 0
    assert "      r2 = add r0 r1\n" in text
    assert ("cnumeric plan: partition over 3 places, of which 0 to 2 are here" in text) == (places == "3")
    assert (re.search(r"  launch \d+: [a-z ]*boxes; before it 4 transfers, 3200 bytes", text) is not None) == (
        places == "3"
    )


def test_kernels_are_compiled_and_then_found(tmp_path):
    first, again = (told("kernel", tier="2", cache=str(tmp_path))[1] for _ in range(2))
    asked = re.findall(
        r"^cnumeric kernel: (\w+) asked for: group of \d+ ops, from <string>:5 to <string>:5$", first, re.M
    )
    assert asked
    for name in asked:
        assert re.search(rf"^cnumeric kernel: {name} compiled in [\d.]+ ms$", first, re.M)
        assert re.search(rf"^cnumeric kernel: {name} found in the cache in [\d.]+ ms$", again, re.M)


def test_kernels_of_a_gpu_are_told(tmp_path):
    environment = devices.environment(CNUMERIC_GPU_BYTES="1", CNUMERIC_DEBUG="kernel", CNUMERIC_CACHE=str(tmp_path))
    texts = []
    for _ in range(2):
        run = [sys.executable, "-c", "import cnumeric as np; print(float((np.ones(1000) * 2 + 1).sum()))"]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=300, check=True)
        texts.append(done.stderr)
    made = re.findall(r"^cnumeric kernel: (\w+) of the GPU compiled$", texts[0], re.M)
    found = re.findall(r"^cnumeric kernel: (\w+) of the GPU found in the cache$", texts[1], re.M)
    assert made and sorted(made) == sorted(found)


def test_what_moves_between_places_is_told():
    (_, moved), text = told("comm", places="3")
    lines = re.findall(r"^cnumeric comm: from place (\d) to (\d): (\d+) bytes$", text, re.M)
    assert len(lines) == len(text.splitlines()) > 0
    assert all(abs(int(a) - int(b)) == 1 for a, b, _ in lines)
    assert sum(int(nbytes) for _, _, nbytes in lines) == moved


def test_topics_that_there_are_not():
    assert "CNUMERIC_DEBUG: there is no topic 'plans', but plan, kernel and comm" in told("plans,comm")[1]
