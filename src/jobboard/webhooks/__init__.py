"""Webhooks: what companies' own programs are told of by HTTP, as Standard Webhooks writes it."""
