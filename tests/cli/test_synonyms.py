"""`jobboard synonyms`: listed, added, removed, and a line that says why not."""

import pytest

from jobboard.cli.main import make_app, run
from jobboard.settings import Settings

pytestmark = pytest.mark.usefixtures("clean")


def test_synonyms_come_and_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBBOARD_DATABASE_URL", settings.database_url.get_secret_value())
    # The board's web processes hear of it through Redis.
    monkeypatch.setenv("JOBBOARD_REDIS_URL", settings.redis_url.get_secret_value())
    app = make_app(["synonyms", "migrate"])

    def call(*arguments: str) -> tuple[int, str]:
        code = run(app, ["synonyms", *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert "nurse, rn, registered nurse" in call()[1]
    assert call("--add", "Welder, torch artist") == (0, "welder, torch artist\n")
    assert call("--add", "ta, torch artist", "--first") == (0, "ta -> torch artist\n")
    assert call("torch artist") == (0, "ta -> torch artist\nwelder, torch artist\n")
    code, told = call("--add", "welder, torch artist")
    assert (code, "mean the same already" in told) == (1, True)
    code, told = call("--add", "the, torch artist")
    assert (code, "too common" in told) == (1, True)
    code, told = call("--add", "alone")
    assert (code, "terms" in told) == (1, True)
    assert call("--remove")[0] == 1
    assert call("torch artist", "--remove")[0] == 0
    assert call("torch artist")[0] == 1
