#include "headers.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v2"))), apply_to = function)
#define KERNEL(name) name##_baseline
#else
#define KERNEL(name) name
#endif
#define VECTOR_WIDTH 4
#define VECTOR_TILE_ROWS 4
#include "kernels.inc"
#if defined(__x86_64__)
#pragma clang attribute pop
#endif
