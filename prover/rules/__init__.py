"""Margin rules: from a rule file and a market to the matrix that is published and proven."""
