"""What the registry does: one function per RPC, on plain values, inside a transaction someone else commits."""
