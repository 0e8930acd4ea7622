"""Compilers that fail, hang or make rubbish, and caches that are not private, cost speed and nothing else."""

import os
import pathlib
import stat
import subprocess
import sys

import pytest

PROGRAM = """
import warnings
import numpy, cnumeric as np
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    x = np.arange(100000.0)
    for _ in range(20):
        y = (x * 3 + 1) / (x + 2) - x
        float(y[5])
    same = numpy.array_equal(numpy.asarray(y), (lambda x: (x * 3 + 1) / (x + 2) - x)(numpy.arange(100000.0)))
print(same, len(seen), *(w.message for w in seen))
"""

FAKES = {
    "refuses": ("echo 'no licence' >&2\nexit 1\n", "no licence"),
    "crashes": ("kill -KILL $$\n", "fails"),
    "makes rubbish": ('while [ "$1" != -o ]; do shift; done\necho rubbish >"$2"\n', "does not load"),
    "makes nothing": ("exit 0\n", "makes nothing"),
}


def environment(folder: pathlib.Path, **more: str) -> dict[str, str]:
    base = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "CNUMERIC_GPU": "0"}
    base |= {"CNUMERIC_CACHE": str(folder / "cache"), "CNUMERIC_COMPILE_AFTER": "1", "CNUMERIC_TIER": "1"}
    return base | more


def run(command: list[str], **more: object) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=100, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(path: pathlib.Path, text: str) -> str:
    """A compiler that tells its version, and else does as the text says."""
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "fake 1"; exit 0; fi\n{text}')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("kind", FAKES)
def test_broken_compilers(tmp_path: pathlib.Path, kind: str) -> None:
    """Results are NumPy's, nothing is said, and `info` says why."""
    text, why = FAKES[kind]
    settings = environment(tmp_path, CNUMERIC_CC=script(tmp_path / "fake", text))
    for tier in "12":
        assert run(["-c", PROGRAM], env=settings | {"CNUMERIC_TIER": tier}).split() == ["True", "0"]
    line = next(
        x for x in run(["-m", "cnumeric", "info"], env=settings).splitlines() if x.startswith("kernel compiler")
    )
    assert "none: " in line and why in line


def test_missing_compiler(tmp_path: pathlib.Path) -> None:
    settings = environment(tmp_path, CNUMERIC_CC=str(tmp_path / "nothing"))
    assert run(["-c", PROGRAM], env=settings).split() == ["True", "0"]
    assert "none: no compiler" in run(["-m", "cnumeric", "info"], env=settings)


@pytest.mark.default_settings
def test_hanging_compiler(tmp_path: pathlib.Path) -> None:
    """The program does not wait for it, and takes it along when it ends."""
    mark = tmp_path / "begun"
    settings = environment(tmp_path, CNUMERIC_CC=script(tmp_path / "fake", f"echo $$ >{mark}\nexec sleep 1000\n"))
    waits = f"\nimport os, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.01)\n"
    assert run(["-c", PROGRAM + waits], env=settings).split() == ["True", "0"]
    process = int(mark.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.default_settings
def test_cache_of_others_is_refused(tmp_path: pathlib.Path) -> None:
    """One warning; kernels are compiled and not kept."""
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o777)
    cache.chmod(0o777)
    words = run(["-c", PROGRAM], env=environment(tmp_path, CNUMERIC_TIER="2"))
    assert words.startswith("True 1 ") and str(cache) in words
    assert not list(cache.iterdir())


def test_read_only_cache(tmp_path: pathlib.Path) -> None:
    """No warning: there is just nothing kept."""
    settings = environment(tmp_path, CNUMERIC_CACHE="/proc/no/such/place", CNUMERIC_TIER="2")
    assert run(["-c", PROGRAM], env=settings).split() == ["True", "0"]


def test_two_processes_at_once(tmp_path: pathlib.Path) -> None:
    """They share a cache; what one has kept the other need not compile."""
    settings = environment(tmp_path, CNUMERIC_TIER="2")
    command = [sys.executable, "-c", PROGRAM]
    both = [subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=100)[0].split() for process in both] == [["True", "0"]] * 2
    count = PROGRAM + "print(np.stats()['compilations'])"
    assert run(["-c", count], env=settings).split() == ["True", "0", "0"]


def test_full_disk(tmp_path: pathlib.Path) -> None:
    """A kernel that cannot be written is not there, and nothing torn is kept."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    ignore = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    settings = environment(tmp_path, CNUMERIC_TIER="2")
    assert run(["-c", limit + ignore + PROGRAM], env=settings).split() == ["True", "0"]
    assert run(["-c", PROGRAM], env=settings).split() == ["True", "0"]


def test_forked_child(tmp_path: pathlib.Path) -> None:
    """A child of a fork compiles for itself."""
    body = "\n".join("    " + line for line in PROGRAM.replace("+ 2)", "+ 4)").splitlines())
    forked = (
        PROGRAM
        + f"""
import os, sys
sys.stdout.flush()
child = os.fork()
if child == 0:
{body}
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    )
    assert run(["-c", forked], env=environment(tmp_path, CNUMERIC_TIER="2")).split() == ["True", "0"] * 2
