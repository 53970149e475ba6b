"""Every command that the documentation shows can be typed: the real parsers and the Makefile know it.

In a fenced `sh` block the whole command line has to parse. In the prose, where a command may be named
without its arguments, its name and its options have to be known.
"""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache

import pytest

from bench.__main__ import build_parser as bench_parser
from missedd.cli import build_parser as missedd_parser
from simulator.cli import build_parser as simulator_parser
from tests.docs.markdown import PAGES, ROOT, Block, Page, blocks_in, page

_PROGRAMS = {
    "missedd": missedd_parser,
    "missedd-sim": simulator_parser,
    "python -m missedd": missedd_parser,
    "python -m simulator": simulator_parser,
    "python -m bench": bench_parser,
}
_SEPARATORS = {"|", "||", "&&", "&", ";", "(", ")"}
_ASSIGNMENT = re.compile(r"[A-Za-z_]+=.*", re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

SH = ("sh", "bash", "console")


@cache
def _parser(program: str) -> argparse.ArgumentParser:
    return _PROGRAMS[program]()


def commands_in(text: str) -> Iterator[list[str]]:
    """The simple commands of a shell script, each as its words, without redirections and assignments."""
    text = text.replace("\\\n", " ")
    for inner in _SUBSTITUTION.findall(text):
        yield from commands_in(inner)
    for line in _SUBSTITUTION.sub("x", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
        lexer.whitespace_split = True
        words: list[str] = []
        skips_next = False
        for word in lexer:
            if word in _SEPARATORS:
                yield words
                words = []
            elif set(word) <= set("<>&"):
                skips_next = True
            elif skips_next:
                skips_next = False
            elif words or not (_ASSIGNMENT.fullmatch(word) or word in ("sudo", "nice", "time", "exec")):
                words.append(word)
        yield words


def program_of(words: list[str]) -> tuple[str, list[str]] | None:
    """Which of our programs a command runs, and with which arguments; None for another program."""
    if not words:
        return None
    name = words[0].removeprefix("$").rpartition("/")[2]
    if name in ("missedd", "missedd-sim", "make"):
        return name, words[1:]
    if re.fullmatch(r"python[0-9.]*", name) and words[1:2] == ["-m"] and f"python -m {words[2]}" in _PROGRAMS:
        return f"python -m {words[2]}", words[3:]
    return None


def parses(program: str, arguments: list[str]) -> bool:
    if program == "make":
        return all("=" in word or word in _TARGETS for word in arguments)
    try:
        _parser(program).parse_args(arguments)
    except SystemExit as end:
        return end.code == 0  # `--help` and `--version`
    return True


@pytest.mark.parametrize("block", blocks_in(*SH), ids=str)
def test_each_command_of_ours_in_a_shell_block_parses(
    block: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in commands_in(block.text):
        found = program_of(words)
        if found is not None:
            assert parses(*found), f"{block}: {' '.join(words)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_command_in_the_prose_has_a_name_and_options_that_are_known(page: Page) -> None:
    for span in page.code_spans:
        for words in commands_in(span) if _is_command(span) else ():
            found = program_of(words)
            if found is not None:
                assert _is_known(*found), f"{page}: {span}"


def _is_command(span: str) -> bool:
    return re.match(r"(\S*/)?(missedd|missedd-sim|make|python\S*) [a-z-]", span) is not None


def _is_known(program: str, arguments: list[str]) -> bool:
    if program == "make":
        return parses(program, arguments)
    parser = _parser(program)
    choices = _subparsers(parser)
    if choices and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in choices:
            return False
        parser = choices[arguments[0]]
    options = {option for action in parser._actions for option in action.option_strings}
    return all(word.partition("=")[0] in options for word in arguments if word.startswith("--"))


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0]) if found else {}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("A=1 b=2 missedd check --quiet > out # why", [["missedd", "check", "--quiet"]]),
        (
            "missedd serve &\ncurl x | missedd why 1",
            [["missedd", "serve"], ["curl", "x"], ["missedd", "why", "1"]],
        ),
        ("export A=$(missedd password)", [["missedd", "password"], ["export", "A=x"]]),
    ],
)
def test_a_script_is_read_as_its_commands(script: str, expected: list[list[str]]) -> None:
    assert [words for words in commands_in(script) if words] == expected


@pytest.mark.parametrize(
    "command", ["missedd chek", "missedd check --quit", "make tests", "missedd-sim serve"]
)
def test_a_command_that_does_not_exist_is_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = program_of(command.split())
    assert found is not None
    assert not parses(*found)


def test_every_target_of_the_makefile_is_explained() -> None:
    spans = {span for name in ("CONTRIBUTING.md", "docs/testing.md") for span in page(name).code_spans}
    shown = " ".join([*spans, *(block.text for block in blocks_in(*SH))])
    assert {target for target in _TARGETS - {"clean"} if f"make {target}" not in shown} == set()


def test_every_marker_of_the_tests_is_explained() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert {marker.partition(":")[0] for marker in options["markers"]} <= set(
        page("docs/testing.md").code_spans
    )
