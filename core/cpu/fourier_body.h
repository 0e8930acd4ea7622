/*
 * fourier_body.h - the kernels of fourier.h, included by one file for each instruction set with CNI_KERNELS the table's
 * name and VECTOR_BYTES its vectors' size. Compiled with that set's flags; everything but the table is static.
 */
#include <string.h>

#include "cpu/fourier.h"

#define INLINE static inline __attribute__((always_inline))

#define LANES (VECTOR_BYTES / 8)
#include "cpu/fourier_shuffle.h"
#include "cpu/fourier_pass.h"

/* Lines together: points and lanes of their planes. */
typedef struct some {
    const cni_fourier_job *job;
    const cni_fourier_lines *at;
    int64_t n, lanes;
} some;

#define E double
#define F(name) name##_f64
#include "cpu/fourier_io.h"
#undef E
#undef F

#define E float
#define F(name) name##_f32
#include "cpu/fourier_io.h"
#undef E
#undef F

#include "cpu/fourier_lines.h"
#include "cpu/fourier_long.h"

const cni_fourier_kernels CNI_KERNELS = {.lines = lines,
                                         .run = run_planes,
                                         .columns = columns,
                                         .rows = rows,
                                         .times = times_pairs,
                                         .pack = {pack_f64, pack_f32},
                                         .unpack = {unpack_f64, unpack_f32},
                                         .halve = halve_pairs,
                                         .unhalve = unhalve_pairs};
