"""Run the command line inside the test process."""

from dataclasses import dataclass

import pytest

from advisor.cli.main import run


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """What was said beside the answer, wherever its lines were broken."""
        return " ".join(self.err.split())


def ask(capsys: pytest.CaptureFixture[str], *argv: str) -> Answer:
    """Run ``advisor`` with these arguments."""
    capsys.readouterr()
    code = run(list(argv))
    out, err = capsys.readouterr()
    return Answer(code=code, out=out, err=err)
