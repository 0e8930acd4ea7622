"""NumPy's own tests, the files that take least time; `make numpy-suite` runs all of them."""

import numpy
import pytest
import run as suite

LISTED = "2.4."  # the lists of expected failures are of this NumPy
QUICK = [
    "_core/tests/test_half.py",
    "_core/tests/test_item_selection.py",
    "_core/tests/test_shape_base.py",
    "lib/tests/test_arraysetops.py",
    "lib/tests/test_index_tricks.py",
    "lib/tests/test_shape_base.py",
    "lib/tests/test_stride_tricks.py",
    "lib/tests/test_twodim_base.py",
    "fft/tests/test_helper.py",
    "fft/tests/test_pocketfft.py",
]


@pytest.mark.default_settings
@pytest.mark.skipif(not numpy.__version__.startswith(LISTED), reason=f"the lists are of NumPy {LISTED}")
@pytest.mark.parametrize("name", QUICK)
def test_fails_where_it_is_expected_to(name):
    result = suite.run(name, "cnumeric")
    known = suite.expected(name)
    assert result.trouble == "" and result.passed
    assert sorted(result.failed.keys() - known.keys()) == []
    assert sorted(result.passed & known.keys()) == [], "run tests/numpy_suite/run.py --update"


def test_every_expected_failure_has_a_reason_and_a_file():
    files = {suite.short(name) for name in suite.FILES}
    for path in suite.EXPECTED.glob("*.txt"):
        assert path.stem in files
        assert path.read_text().startswith("# ")


def test_imports_become_ours():
    source = "import numpy as np\nimport numpy\nfrom numpy._core import _umath_tests\n    from numpy.lib import x\n"
    source += "import numpy._core.umath as ncu\nimport numpydoc\nfrom numpy import (\n    add)\n"
    expected = "import cnumeric as np\nimport cnumeric as numpy\nfrom numpy._core import _umath_tests\n"
    expected += "    from cnumeric.lib import x\nimport cnumeric._core.umath as ncu\nimport numpydoc\n"
    assert suite.with_cnumeric(source) == expected + "from cnumeric import (\n    add)\n"


CRASHING = """
import ctypes

def test_one(): pass
def test_crashes(): ctypes.string_at(0)
def test_two(): pass
def test_fails(): assert False
"""


def test_a_crash_loses_nothing(tmp_path, monkeypatch):
    (tmp_path / "part" / "tests").mkdir(parents=True)
    (tmp_path / "part" / "tests" / "test_crash.py").write_text(CRASHING)
    monkeypatch.setattr(suite, "WHEEL", tmp_path)
    result = suite.run("part/tests/test_crash.py", "numpy")
    assert result.passed == {"test_one", "test_two"}
    assert result.failed.keys() == {"test_crashes", "test_fails"}
    assert "exit code -11" in result.failed["test_crashes"]
