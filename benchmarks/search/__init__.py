"""The search at many sizes, beside tantivy and beside what one would write first."""
