#pragma once

// What is used of OpenBLAS, by the C interfaces of BLAS and of LAPACK, with integers of 32 bits.
struct openblas {
  // c = alpha a b + beta c. The first three are openblas_row_major and twice openblas_not_transposed.
  void (*sgemm)(
      int order, int a_transposed, int b_transposed, int rows, int columns, int depth, float alpha, const float *a,
      int a_stride, const float *b, int b_stride, float beta, float *c, int c_stride);
  // Solves a x = b. Column-major; a is replaced by its factors, b by the solution; info is 0 where there is one.
  void (*dgesv)(
      const int *n, const int *columns, double *a, const int *a_stride, int *pivots, double *b, const int *b_stride,
      int *info);
  // Name of the set of kernels that it uses here.
  char *(*core_name)(void);
};

enum { openblas_row_major = 101, openblas_not_transposed = 111 };

// Loads the library at the first call. NULL where it cannot be loaded.
const struct openblas *openblas_load(void);
