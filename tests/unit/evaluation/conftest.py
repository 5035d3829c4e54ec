"""One thread: the products of these tests are too small for more."""

import torch

torch.set_num_threads(1)
