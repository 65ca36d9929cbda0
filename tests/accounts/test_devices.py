"""Devices by what they say they are."""

import pytest

from jobboard.accounts.devices import device

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{MAC} Version/18.1 Safari/605.1.15", "Safari on macOS"),
        (f"{WINDOWS} {CHROME}", "Chrome on Windows"),
        (f"{WINDOWS} {CHROME} Edg/140.0.0.0", "Edge on Windows"),
        (f"{WINDOWS[:-1]}; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME}", "Chrome on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {CHROME}", "Chrome on ChromeOS"),
        ("curl/8.9.1", "curl"),
        ("python-requests/2.34 extra", "python-requests"),
        ("x" * 300, "x" * 60),
        ("", "Unknown device"),
        ("/", "Unknown device"),
        ("<script>alert(1)</script>", "<script>alert(1)<"),
    ],
)
def test_what_a_person_knows_again(user_agent: str, words: str) -> None:
    assert device(user_agent) == words
