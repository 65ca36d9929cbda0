"""Credits: wallets, and the double-entry ledger of what moved between them."""
