"""Results as JUnit's XML, as CI servers read it: a scenario is a test case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class ScenarioTestResult:
    """How one scenario came out. Without failures, an error or a reason why it was skipped it has passed."""

    name: str
    took_s: float = 0.0
    failures: Sequence[str] = ()
    """Expectations that were not met."""
    error: str | None = None
    """Why it could not be played to its end."""
    is_file_error: bool = False
    """The error is the file's own."""
    skipped: str | None = None

    @property
    def exit_code(self) -> int:
        return 2 if self.is_file_error else int(bool(self.failures or self.error))


def write_junit(path: Path, results: Sequence[ScenarioTestResult]) -> None:
    """Raises OSError where the file cannot be written; a folder that is missing is made."""
    suite = Element(
        "testsuite",
        name="scenarios",
        tests=str(len(results)),
        failures=str(sum(bool(result.failures) for result in results)),
        errors=str(sum(result.error is not None for result in results)),
        skipped=str(sum(result.skipped is not None for result in results)),
        time=f"{sum(result.took_s for result in results):.3f}",
    )
    for result in results:
        case = SubElement(
            suite, "testcase", classname="scenarios", name=_xml_safe(result.name), time=f"{result.took_s:.3f}"
        )
        for failure in result.failures:
            _add_message(case, "failure", failure)
        if result.error is not None:
            _add_message(case, "error", result.error)
        if result.skipped is not None:
            SubElement(case, "skipped", message=result.skipped)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _add_message(case: Element, tag: str, text: str) -> None:
    """The text, with its first line as the message."""
    cleaned = _xml_safe(text)
    SubElement(case, tag, message=cleaned.partition("\n")[0]).text = cleaned


def _xml_safe(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)
