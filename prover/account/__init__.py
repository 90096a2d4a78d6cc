"""An account and its owner's secrets: wallet, deposits, trades, proofs, withdrawals."""
