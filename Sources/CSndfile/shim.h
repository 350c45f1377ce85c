#include <sndfile.h>
#include <stdio.h>

// Points C's standard output, and with a true value standard error too, at nothing, or back to where they were.
// Where the C library has no streams to assign to, nothing happens.
static inline void standard_streams_discard(int errors) {
#ifdef __GLIBC__
  FILE *nothing = fopen("/dev/null", "we");
  if (!nothing) return;
  fflush(stdout);
  stdout = nothing;
  if (errors) stderr = nothing;
#endif
}

static inline void standard_streams_restore(void) {
#ifdef __GLIBC__
  extern struct _IO_FILE_plus _IO_2_1_stdout_, _IO_2_1_stderr_;
  stdout = (FILE *)&_IO_2_1_stdout_;
  stderr = (FILE *)&_IO_2_1_stderr_;
#endif
}
