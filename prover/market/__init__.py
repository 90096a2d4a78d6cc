"""Instruments, market snapshots and option pricing: everything before a margin rule."""
