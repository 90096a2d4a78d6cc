"""Components of margin rules, one concern a module; rule files name them."""
