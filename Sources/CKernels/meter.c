// Counts of work and time per thread, switched on for benchmarks only, and of numbers that a format could not hold.
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "ckernels.h"

enum { MAXIMUM_THREADS = 1024 };

typedef struct {
  double operations;
  double seconds;
} meter;

static meter meters[MAXIMUM_THREADS];
static atomic_size_t meter_count;
static _Thread_local meter *mine;
static atomic_bool running;

static atomic_size_t overflows;

void kernel_note_overflow(void) { atomic_fetch_add_explicit(&overflows, 1, memory_order_relaxed); }

size_t kernel_overflow_count(void) { return atomic_load_explicit(&overflows, memory_order_relaxed); }

void kernel_meter_run(bool on) { atomic_store(&running, on); }

double kernel_meter_start(void) {
  if (!atomic_load_explicit(&running, memory_order_relaxed)) return 0;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void kernel_meter_stop(double start, double operations) {
  if (start == 0) return;
  if (!mine) {
    size_t index = atomic_fetch_add(&meter_count, 1);
    mine = &meters[index < MAXIMUM_THREADS ? index : MAXIMUM_THREADS - 1];
  }
  mine->operations += operations;
  mine->seconds += kernel_meter_start() - start;
}

void kernel_meter_total(double *operations, double *seconds) {
  size_t count = atomic_load(&meter_count);
  *operations = *seconds = 0;
  for (size_t i = 0; i < count && i < MAXIMUM_THREADS; i++) {
    *operations += meters[i].operations;
    *seconds += meters[i].seconds;
  }
}
