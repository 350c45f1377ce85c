#include <cblas.h>

// LAPACK's solver of linear systems (dgesv), which OpenBLAS carries; Debian's headers of it do not declare it.
// Column-major; a is replaced by its factors, b by the solution; info is 0 where there is one.
void dgesv_(
    const blasint *n, const blasint *columns, double *a, const blasint *a_stride, blasint *pivots, double *b,
    const blasint *b_stride, blasint *info);
