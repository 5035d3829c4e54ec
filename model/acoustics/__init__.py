"""Sound in numpy and scipy: the log-mel front end, decoding, descriptors, claims and their verification.

Promises the same numbers in training and in serving. Knows nothing of torch, networks or services.
"""
