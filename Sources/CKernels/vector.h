// Sixteen floats at once, in the compiler's portable vector types: one ZMM, two YMM or four XMM/NEON registers.
#ifndef CKERNELS_VECTOR_H
#define CKERNELS_VECTOR_H

#define INLINE static inline __attribute__((always_inline))
#define LANES 16

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef double f64x16 __attribute__((vector_size(128)));

INLINE f32x16 splat(float value) { return value - (f32x16){0}; }

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

INLINE f32x16 select_f32(i32x16 mask, f32x16 yes, f32x16 no) {
  return (f32x16)((mask & (i32x16)yes) | (~mask & (i32x16)no));
}

INLINE float sum_lanes(f32x16 v) {
  float s = 0;
  for (int i = 0; i < LANES; i++) s += v[i];
  return s;
}

INLINE float max_lanes(f32x16 v) {
  float m = v[0];
  for (int i = 1; i < LANES; i++) m = v[i] > m ? v[i] : m;
  return m;
}

#endif
