"""Nodes, beacon nodes and the contracts on a chain: transactions that survive, events, clients."""
