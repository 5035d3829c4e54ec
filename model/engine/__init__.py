"""Generation: many requests in one running batch, each joining and leaving at any step.

    params.py     what a caller asks: Request, SamplingParams
    results.py    what it gets: Token, Completion, Group
    kv_cache.py   keys and values of the running rows, on one shared clock
    sampling.py   the next token of every row at once
    rows.py       one completion under way
    engine.py     the batch and its step
    thread.py     the same engine for many threads, with a bounded queue

The forward pass is the network's own; nothing here learns, and nothing speaks a protocol.
"""
