// exp, erf and what is built on them, in float32. Coefficients: scripts/fit_approximations.py.
#ifndef CKERNELS_APPROXIMATIONS_H
#define CKERNELS_APPROXIMATIONS_H

#include "vector.h"

// exp(x) = value x 2^exponent, value near 1, for x of any size below 2^22.
INLINE f32x16 exp_parts(f32x16 x, i32x16 *exponent) {
  // Adding 1.5 * 2^23 rounds to the nearest integer, which then lies in the low bits.
  const f32x16 rounder = splat(12582912.0f);
  f32x16 shifted = x * splat(1.44269504f) + rounder;
  *exponent = bits_of(shifted) - bits_of(rounder);
  f32x16 n = shifted - rounder;
  // ln 2 in two parts, so that n times the first is exact.
  f32x16 r = x - n * splat(0.693145752f);
  r = r - n * splat(1.42860677e-6f);
  f32x16 p = splat(1.381461326e-03f);
  p = p * r + splat(8.368709824e-03f);
  p = p * r + splat(4.166838736e-02f);
  p = p * r + splat(1.666652069e-01f);
  p = p * r + splat(4.999999345e-01f);
  return r * r * p + r + splat(1.0f);
}

INLINE f32x16 power_of_two(i32x16 exponent) { return from_bits((exponent + 127) << 23); }

// exp(x) for x in [-87.33, 88.37], within 2 ulp; beyond these ends their values stand in, NaN stays NaN.
INLINE f32x16 exp_limited(f32x16 x) {
  x = x < splat(-87.33f) ? splat(-87.33f) : x;
  x = x > splat(88.37f) ? splat(88.37f) : x;
  i32x16 exponent;
  f32x16 value = exp_parts(x, &exponent);
  return value * power_of_two(exponent);
}

// exp(x) within 2 ulp where the result is a normal number; smaller ones become 0, larger ones infinity.
INLINE f32x16 exp_f32(f32x16 x) {
  const f32x16 highest = splat(88.7228394f), lowest = splat(-87.3365402f);
  f32x16 limited = x > highest ? highest : x;
  limited = limited < lowest ? lowest : limited;
  i32x16 exponent;
  f32x16 value = exp_parts(limited, &exponent);
  // Two factors: 2^128 alone is no float.
  i32x16 half = exponent >> 1;
  value = value * power_of_two(half) * power_of_two(exponent - half);
  value = x > highest ? splat(__builtin_inff()) : value;
  return x < lowest ? splat(0.0f) : value;
}

// 2^x for x up to 1, within 2 ulp; below -125 the value there stands in, NaN stays NaN. Half the work of exp_limited.
INLINE f32x16 exp2_limited(f32x16 x) {
  x = x < splat(-125.0f) ? splat(-125.0f) : x;
  f32x16 shifted = x + splat(12582912.0f);
  f32x16 r = x - (shifted - splat(12582912.0f));
  f32x16 p = splat(1.535336207e-04f);
  p = p * r + splat(1.339887439e-03f);
  p = p * r + splat(9.618437357e-03f);
  p = p * r + splat(5.550332471e-02f);
  p = p * r + splat(2.402264791e-01f);
  p = p * r + splat(6.931472029e-01f);
  p = p * r + splat(1.0f);
  // The integer part, added to the exponent. What the rounder leaves above it is shifted out.
  return from_bits(bits_of(p) + (bits_of(shifted) << 23));
}

// erf(x) within 2 ulp: an odd polynomial below 1, 1 - exp(-x q(x)) above.
INLINE f32x16 erf_f32(f32x16 x) {
  i32x16 sign = bits_of(x) & bits_of(splat(-0.0f));
  f32x16 a = from_bits(bits_of(x) ^ sign);
  f32x16 limited = a > splat(4.0f) ? splat(4.0f) : a;
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
  f32x16 far = splat(1.0f) - exp_limited(-limited * q);
  f32x16 value = a < splat(1.0f) ? near : far;
  return from_bits(bits_of(value) | sign);
}

// 0.5 x (1 + erf(x / sqrt 2)): torch.nn.functional.gelu with approximate='none'.
INLINE f32x16 gelu_f32(f32x16 x) {
  return splat(0.5f) * x * (splat(1.0f) + erf_f32(x * splat(0.707106781f)));
}

INLINE f32x16 sigmoid_f32(f32x16 x) { return splat(1.0f) / (splat(1.0f) + exp_limited(-x)); }

#endif
