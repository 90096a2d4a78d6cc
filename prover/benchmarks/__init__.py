"""The project's figures."""
