#include <sndfile.h>
#include <stdio.h>

// C's streams for standard output and error.
struct standard_streams {
  FILE *output;
  FILE *errors;
};

static inline struct standard_streams standard_streams_now(void) { return (struct standard_streams){stdout, stderr}; }

// Where the C library has no streams to assign to, nothing happens.
static inline void standard_streams_set(struct standard_streams streams) {
#ifdef __GLIBC__
  fflush(stdout);
  stdout = streams.output;
  stderr = streams.errors;
#endif
}
