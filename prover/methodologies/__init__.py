"""Margin methodologies in clear: what exchanges and clearing houses require, computed in floating point.

They serve comparison and validation; what is proven is a rule (:mod:`prover.rules.rule_builder`). One module a
methodology: ``evaluate`` takes a case as case files write it (see :mod:`prover.methodologies.case_files`) and returns
the named quantities; the functions beside it take typed values. :mod:`prover.methodologies.registry` knows which name
belongs to which module.
"""
