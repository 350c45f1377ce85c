// exp, erf and what is built on them, in float32. Coefficients: scripts/fit_approximations.py.
#ifndef CKERNELS_APPROXIMATIONS_H
#define CKERNELS_APPROXIMATIONS_H

#include "vector.h"

// exp(x) within 2 ulp for x in [-87.3, 88.7]; below it flushes to 0 by way of 2^-126, above it gives infinity.
INLINE f32x16 exp_f32(f32x16 x) {
  const f32x16 highest = splat(88.7228394f), lowest = splat(-87.3365402f);
  i32x16 over = x > highest, under = x < lowest;
  f32x16 limited = select_f32(over, highest, select_f32(under, lowest, x));
  // Adding 1.5 * 2^23 rounds to the nearest integer, which then lies in the low bits.
  const f32x16 rounder = splat(12582912.0f);
  f32x16 shifted = limited * splat(1.44269504f) + rounder;
  i32x16 exponent = (i32x16)shifted - (i32x16)rounder;
  f32x16 n = shifted - rounder;
  // ln 2 in two parts, so that n times the first is exact.
  f32x16 r = limited - n * splat(0.693145752f);
  r = r - n * splat(1.42860677e-6f);
  f32x16 p = splat(1.381461326e-03f);
  p = p * r + splat(8.368709824e-03f);
  p = p * r + splat(4.166838736e-02f);
  p = p * r + splat(1.666652069e-01f);
  p = p * r + splat(4.999999345e-01f);
  f32x16 value = r + (r * r) * p + splat(1.0f);
  // Two factors: 2^128 alone is no float.
  i32x16 half = exponent >> 1;
  f32x16 first = (f32x16)((half + 127) << 23), second = (f32x16)((exponent - half + 127) << 23);
  value = value * first * second;
  value = select_f32(over, splat(__builtin_inff()), value);
  value = select_f32(under, splat(0.0f), value);
  return select_f32(x == x, value, x);
}

// erf(x) within 2 ulp: an odd polynomial below 1, 1 - exp(-x q(x)) above.
INLINE f32x16 erf_f32(f32x16 x) {
  i32x16 sign = (i32x16)x & (i32x16)splat(-0.0f);
  f32x16 a = (f32x16)((i32x16)x ^ sign);
  f32x16 limited = select_f32(a < splat(4.0f), a, splat(4.0f));
  f32x16 s = a * a;
  f32x16 p = splat(7.889123174e-05f);
  p = p * s + splat(-8.020842371e-04f);
  p = p * s + splat(5.189535462e-03f);
  p = p * s + splat(-2.685444466e-02f);
  p = p * s + splat(1.128360018e-01f);
  p = p * s + splat(-3.761262714e-01f);
  p = p * s + splat(1.283791659e-01f);
  f32x16 near = a + a * p;
  f32x16 q = splat(1.413366600e-05f);
  q = q * limited + splat(-3.523304532e-04f);
  q = q * limited + splat(3.764653298e-03f);
  q = q * limited + splat(-2.402549450e-02f);
  q = q * limited + splat(1.065490868e-01f);
  q = q * limited + splat(6.349583073e-01f);
  q = q * limited + splat(1.128697156e+00f);
  f32x16 far = splat(1.0f) - exp_f32(-limited * q);
  f32x16 value = select_f32(a < splat(1.0f), near, far);
  value = select_f32(x == x, value, x);
  return (f32x16)((i32x16)value | sign);
}

// 0.5 x (1 + erf(x / sqrt 2)): torch.nn.functional.gelu with approximate='none'.
INLINE f32x16 gelu_f32(f32x16 x) {
  return splat(0.5f) * x * (splat(1.0f) + erf_f32(x * splat(0.707106781f)));
}

INLINE f32x16 sigmoid_f32(f32x16 x) { return splat(1.0f) / (splat(1.0f) + exp_f32(-x)); }

#endif
