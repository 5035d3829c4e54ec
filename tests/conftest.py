"""One thread for the numeric libraries: tests are many small sums, and two threads that wait for each other on a busy
machine take ten times as long."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
