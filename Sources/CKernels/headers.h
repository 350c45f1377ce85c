// System headers, read before any target attribute is pushed.
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ckernels.h"

// Vector values never cross a call that is not inlined, so no ABI is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
