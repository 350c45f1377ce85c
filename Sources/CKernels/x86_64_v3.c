#include "headers.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define KERNEL(name) name##_v3
#define VECTOR_WIDTH 8
#define VECTOR_TILE_ROWS 4
#include "kernels.inc"
#pragma clang attribute pop
#endif
