"""Subcommands of the console command: one module each, which reads options and prints; the work is done elsewhere."""
