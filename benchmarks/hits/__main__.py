"""All that is measured of hits: `python -m benchmarks.hits`."""

from benchmarks.hits import cost, gone, growth
from benchmarks.output import until_no_one_reads


def main() -> None:
    """One after the other."""
    for each in (cost, growth, gone):
        each.main()


if __name__ == "__main__":
    until_no_one_reads(main)
