"""A whole platform on one machine: separate processes on loopback, kept alive by a supervisor, state in one folder.

`control` is what the command calls; `supervisor` is the process it leaves behind; `plans` says which processes there
are and what each is told; `processes` and `health` look after one of them.
"""
