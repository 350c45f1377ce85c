#!/usr/bin/env python3
"""Fits the polynomials of Sources/CKernels/approximations.h and prints them as C.

Needs mpmath. Each fit is a Remez-style exchange on a weighted error, done in 50 digits, and rounded to float32 at
the end; the unit tests of CKernels measure what the whole float32 evaluation is worth, in ulp.
"""
from mpmath import mp, mpf, erf, erfc, exp, log, matrix, lu_solve, cos, pi

mp.dps = 50


def minimax(function, weight, low, high, degree, rounds=12):
    """Coefficients c0..c_degree of the polynomial that equioscillates on [low, high].

    The error that is levelled is (polynomial(x) - function(x)) * weight(x).
    """
    count = degree + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (count - 1)) for i in range(count)]
    grid = [low + (high - low) * mpf(i) / 4000 for i in range(4001)]
    coefficients = []
    for _ in range(rounds):
        system = matrix(count, count)
        target = matrix(count, 1)
        for row, x in enumerate(nodes):
            for power in range(degree + 1):
                system[row, power] = x**power
            system[row, degree + 1] = (-1) ** row / weight(x)
            target[row] = function(x)
        solution = lu_solve(system, target)
        coefficients = [solution[i] for i in range(degree + 1)]

        def error(x):
            return (sum(c * x**i for i, c in enumerate(coefficients)) - function(x)) * weight(x)

        values = [error(x) for x in grid]
        extrema = []
        start = 0
        for i in range(1, len(grid) + 1):
            if i == len(grid) or (values[i] > 0) != (values[i - 1] > 0):
                best = max(range(start, i), key=lambda j: abs(values[j]))
                extrema.append(best)
                start = i
        if len(extrema) < count:
            break
        while len(extrema) > count:
            extrema.pop(0 if abs(values[extrema[0]]) < abs(values[extrema[-1]]) else -1)
        nodes = [grid[i] for i in extrema]
    return coefficients, max(abs(v) for v in values)


def show(name, fit):
    coefficients, error = fit
    print(f"// {name}: degree {len(coefficients) - 1}, error {float(error):.2e} before rounding")
    for power, c in enumerate(coefficients):
        print(f"  c{power} = {float(c):.9e}f")


if __name__ == "__main__":
    half = log(2) / 2
    # exp(r) = 1 + r + r^2 p(r) on half an octave around 1.
    show("exp", minimax(
        lambda x: (exp(x) - 1 - x) / x**2 if abs(x) > mpf(10) ** -12 else mpf(1) / 2 + x / 6,
        lambda x: x**2 / exp(x) if abs(x) > mpf("0.02") else mpf("0.0004"), -half, half, 4))
    # 2^r = 1 + r p(r) on half an octave around 1.
    show("exp2", minimax(
        lambda x: (mpf(2)**x - 1) / x if abs(x) > mpf(10) ** -12 else log(2),
        lambda x: abs(x) / mpf(2)**x if abs(x) > mpf("0.02") else mpf("0.02"), -mpf(1) / 2, mpf(1) / 2, 5))
    # erf(x) = x + x p(x^2) on [0, 1].
    show("erf near 0", minimax(
        lambda s: erf(mp.sqrt(s)) / mp.sqrt(s) - 1 if s > 0 else 2 / mp.sqrt(pi) - 1,
        lambda s: mpf(1), mpf(0), mpf(1), 6))
    # erfc(x) = exp(-x q(x)) on [1, 4].
    show("erfc tail", minimax(
        lambda x: -log(erfc(x)) / x, lambda x: x * erfc(x), mpf(1), mpf(4), 6))
