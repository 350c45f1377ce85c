#include "headers.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define KERNEL(name) name##_v4
#define VECTOR_WIDTH 16
#define VECTOR_TILE_ROWS 8
#include "kernels.inc"
#pragma clang attribute pop
#endif
