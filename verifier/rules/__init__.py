"""Margin rules as matrices: chunks, blobs, commitments, audits, archives."""
