"""What the programs are measured against; `python -m benchmarks.programs` runs it all."""
