"""Packed weights give the same products, and never those of weights that have changed."""

import copy

import torch

from model.network.packed import PackableLinear, packed_products


def test_packed_products_are_the_same() -> None:
    layer, x = PackableLinear(48, 80), torch.randn(3, 20, 48)
    with torch.inference_mode(), packed_products():
        packed = [layer(x), layer(x[:, :2]), layer(x[:1, :1])]
    expected = [layer(x), layer(x[:, :2]), layer(x[:1, :1])]
    for ours, plain in zip(packed, expected, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-6)


def test_weights_changed_between_two_uses_are_seen() -> None:
    layer, x = PackableLinear(16, 8), torch.randn(32, 16)
    for _ in range(2):
        with torch.inference_mode(), packed_products():
            torch.testing.assert_close(layer(x), torch.nn.functional.linear(x, layer.weight, layer.bias))
        layer.weight.data.mul_(-3)


def test_learning_inside_is_not_disturbed() -> None:
    layer, x = PackableLinear(16, 8), torch.randn(32, 16)
    with packed_products():
        layer(x).sum().backward()
    assert layer.weight.grad is not None
    copy.deepcopy(layer)
