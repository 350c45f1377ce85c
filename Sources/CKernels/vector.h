// Sixteen floats at once, in the compiler's portable vector types: one ZMM, two YMM or four XMM/NEON registers.
#ifndef CKERNELS_VECTOR_H
#define CKERNELS_VECTOR_H

#define INLINE static inline __attribute__((always_inline))
#define LANES 16

typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));

INLINE f32x16 splat(float value) { return (f32x16)value; }

INLINE f32x16 load(const float *source) {
  f32x16 v;
  memcpy(&v, source, sizeof v);
  return v;
}

INLINE void store(float *target, f32x16 v) { memcpy(target, &v, sizeof v); }

// The first `count` lanes; the others are 0.
INLINE f32x16 load_part(const float *source, size_t count) {
  f32x16 v = {0};
  memcpy(&v, source, count * sizeof(float));
  return v;
}

INLINE void store_part(float *target, f32x16 v, size_t count) { memcpy(target, &v, count * sizeof(float)); }

// A cast that keeps the bits.
INLINE i32x16 bits_of(f32x16 v) {
  i32x16 bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

INLINE f32x16 from_bits(i32x16 bits) {
  f32x16 v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

// Halves, then halves of halves: the order of the additions is part of the result.
INLINE float sum_lanes(f32x16 v) {
  f32x8 eight = v.lo + v.hi;
  f32x4 four = eight.lo + eight.hi;
  return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINE float max_lanes(f32x16 v) {
  f32x8 eight = v.lo > v.hi ? v.lo : v.hi;
  f32x4 four = eight.lo > eight.hi ? eight.lo : eight.hi;
  float even = four[0] > four[2] ? four[0] : four[2], odd = four[1] > four[3] ? four[1] : four[3];
  return even > odd ? even : odd;
}

#endif
