"""Activations with settings of their own, on tensors and on jets alike."""

from __future__ import annotations

import math

import torch
from torch import nn


class Sine(nn.Module):
    """x -> sin(omega x), with omega held or a parameter."""

    def __init__(self, omega: float, learnable: bool = False):
        super().__init__()
        self.omega = nn.Parameter(torch.tensor(omega, dtype=torch.float64)) if learnable else omega

    def forward(self, x):
        return torch.sin(self.omega * x)


class FinerSine(nn.Module):
    """x -> sin(omega (|x| + 1) x): the local frequency grows with |x|. Two derivatives are bounded, the second jumps at x = 0."""

    def __init__(self, omega: float):
        super().__init__()
        self.omega = omega

    def forward(self, x):
        return torch.sin(self.omega * (torch.abs(x) + 1) * x)


class Wavelet(nn.Module):
    """x -> cos(omega x) exp(-(s x)^2)."""

    def __init__(self, omega: float, s: float):
        super().__init__()
        self.omega, self.s = omega, s

    def forward(self, x):
        return torch.cos(self.omega * x) * torch.exp(-(self.s**2) * x * x)


def sine_plus_cosine(x):
    return math.sqrt(2) * torch.sin(x + math.pi / 4)


def cosine_minus_sine(x):
    return math.sqrt(2) * torch.cos(x + math.pi / 4)


def exponential(x):
    return torch.exp(x - 1)


def sine_plus_cosh(x):
    return torch.sin(x) + torch.cosh(x) / math.e


def cosine_plus_sinh(x):
    return torch.cos(x) + torch.sinh(x) / math.e


SELF_NORMALISING = {
    "sine": sine_plus_cosine,
    "cosine": cosine_minus_sine,
    "exp": exponential,
    "sine-cosh": sine_plus_cosh,
    "cosine-sinh": cosine_plus_sinh,
}
"""Functions all of whose derivatives have E f^(n)(Z)^2 = 1 for a standard normal Z.

For f = sum_k a_k He_k, E f^(n)(Z)^2 = sum_k a_k^2 k!^2 / (k - n)! is one for every n where a_k^2 k! = 1 / (e k!): the factorial moments of
the Poisson law of mean one. So the members of the family differ in the signs of a_k alone; the signs here repeat after four: + + - -,
+ - - +, all +, + + + - and + + - +, mirror images and negatives left out.
"""
