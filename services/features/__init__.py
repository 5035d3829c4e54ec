"""The features service: untrusted audio in, log-mel frames, descriptors and checked claims out."""
