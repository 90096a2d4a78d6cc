"""The margin argument, prover's side: witness, rounds, polynomials, blinds."""
