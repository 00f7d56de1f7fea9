"""The pure router: matching of waiting contacts and available agents, with reasons."""
