"""What every test run shares: verified plans, the package from the build folder, examples and tools on the path."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("CNUMERIC_VERIFY", "1")  # read when the library is loaded
os.environ.setdefault("CNUMERIC_CACHE", str(ROOT / "build" / "kernels"))
os.environ.setdefault(
    "CNUMERIC_NUMPY_BYTES", "0"
)  # our own ways of what NumPy does of a few elements (test_at_hand.py)
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "tools"), str(ROOT / "tests" / "numpy_suite")]

try:
    import cnumeric
except ImportError:  # neither installed nor on the path: what `make build` made
    sys.path.insert(0, str(ROOT / "build" / "python"))
    os.environ["PYTHONPATH"] = os.pathsep.join([sys.path[0], os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    import cnumeric
import hypothesis
import pytest

FUZZ_EXAMPLES = int(os.environ.get("CNUMERIC_FUZZ_EXAMPLES", "0"))
hypothesis.settings.register_profile(
    "cnumeric",
    deadline=None,
    max_examples=FUZZ_EXAMPLES or 100,
    derandomize=not FUZZ_EXAMPLES,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("cnumeric")

NO_CHANGE = {"CNUMERIC_VERIFY", "CNUMERIC_RECHECK", "CNUMERIC_CACHE", "CNUMERIC_FUZZ_EXAMPLES", "CNUMERIC_TEST_UPDATE"}
NO_CHANGE.add("CNUMERIC_NUMPY_BYTES")
CHANGED = sorted(name for name in os.environ if name.startswith("CNUMERIC_") and name not in NO_CHANGE)


def pytest_collection_modifyitems(items):
    """What counts plans and launches holds under the default settings only."""
    if CHANGED:
        skip = pytest.mark.skip(reason=f"set: {', '.join(CHANGED)}")
        for item in items:
            if "default_settings" in item.keywords:
                item.add_marker(skip)


@pytest.fixture
def counters():
    """cNumeric's counters, set to zero with nothing pending; call it to run what is pending and read them."""

    def read():
        cnumeric.synchronize()
        return cnumeric.stats()

    cnumeric.synchronize()
    cnumeric.stats_reset()
    return read
