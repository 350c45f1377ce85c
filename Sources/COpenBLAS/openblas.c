#include "copenblas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

// Linked in, the library would start a thread for each processor before `main`, and each asks for 128 MiB of address space
// again and again until it gets them. Most runs never need it, and none needs its threads.

static struct openblas functions;
static const struct openblas *loaded;

static void load(void) {
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libopenblas.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&functions.sgemm = dlsym(library, "cblas_sgemm");
  *(void **)&functions.dgesv = dlsym(library, "dgesv_");
  *(void **)&functions.core_name = dlsym(library, "openblas_get_corename");
  // The version built on OpenMP goes by another variable.
  void (*set_threads)(int);
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  if (!functions.sgemm || !functions.dgesv || !functions.core_name || !set_threads) return;
  set_threads(1);
  loaded = &functions;
}

const struct openblas *openblas_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return loaded;
}
