"""The project as a whole: layers, documents that say what is there, words that do not belong."""

import pathlib
import re
import shutil

import check_layers
import make_docs
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["core", "include", "python", "tests", "tools", "examples", "bench", "docs", ".ci"]
TEXT = {".c", ".h", ".def", ".py", ".pyi", ".md", ".txt", ".toml", ".sh", ""}
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "build"} & set(path.parts))

# Places of one machine, notes to oneself, code that is switched off, documents that are not here.
FORBIDDEN = [
    r"(?<![\w.~])/(?:root|home|work|Users)/",
    r"\b(?:TODO|FIXME|XXX|HACK)\b",
    r"^\s*#\s*if\s+0\b",
    r"\bDESIGN\b",
    r"\b(?:AI|LLM|chatbot|language model|copilot)\b",
]


def texts():
    """Every text file of the project."""
    yield from (
        path
        for path in ROOT.iterdir()
        if path.is_file() and path.suffix in TEXT and path.name not in ("LICENSE", ".git")
    )
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in TEXT and not {"__pycache__", "results"} & set(path.parts):
                yield path


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_forbidden_words(pattern):
    found = []
    for path in texts():
        if path == pathlib.Path(__file__):
            continue
        text = path.read_text(errors="replace")
        for match in re.finditer(pattern, text, re.MULTILINE):
            found.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}")
    assert found == []


def test_layers_and_file_names():
    assert check_layers.problems() == []


def test_headers_compile_alone():
    compiler = next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)
    if compiler is None:
        pytest.skip("no C compiler")
    assert list(check_layers.headers(compiler)) == []


def targets():
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_what_is_there(document):
    text = document.read_text()
    code = "\n".join(re.findall(r"`([^`\n]+)`", text) + re.findall(r"```\w*\n(.*?)```", text, re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    paths = re.findall(r"(?<![\w/])(?:core|examples|tests|tools|docs|bench)/[\w./]+\.(?:py|c|h|def|md)\b", code)
    here = document.parent
    assert [path for path in paths if not (ROOT / path).exists() and not (here / path).exists()] == []


def test_every_target_is_explained():
    text = (ROOT / "Makefile").read_text()
    explained = set(re.findall(r"^([a-z-]+):[^#\n]*## \S", text, re.MULTILINE))
    assert targets() - explained <= {"test-c", "test-python"}


def test_every_setting_is_documented():
    text = (ROOT / "core/base/settings.def").read_text()
    rows = re.findall(r"^CN_(?:TEXT_)?SETTING\(", text, re.MULTILINE)
    found = make_docs.SETTING.findall(text)
    assert len(found) == len(rows) > 0
    assert all(len(doc) > 10 for *_, doc in found)


def test_tables_of_docs_are_what_the_sources_say():
    assert make_docs.stale() == [], "run `make docs`"


def test_every_core_folder_has_a_readme():
    folders = [f"core/{name}" for name in check_layers.ORDER if list(ROOT.glob(f"core/{name}/*.c"))]
    for folder in (*folders, "python", "tests", "bench", "tools"):
        text = (ROOT / folder / "README.md").read_text()
        assert text.startswith(f"# {folder}\n")
        for name in re.findall(r"`([\w]+\.(?:c|h|def|py))`", text):
            assert list(ROOT.glob(f"*/**/{name}")) or (ROOT / name).exists(), f"{folder}/README.md: {name}"
