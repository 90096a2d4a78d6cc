"""Public side: everything a protocol, an auditor or a stranger needs; it never sees a position."""
