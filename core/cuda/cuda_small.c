/*
 * cuda_small.c - see cuda_small.h. A text knows a class of sizes, and how many threads and matrices a block has; small.cuh has
 * the rest. Classes are powers of two, from 64 on multiples of 16: then a block has one matrix, and a processor as many blocks
 * as their matrices fit in its memory.
 */
#include "cuda/cuda_small.h"

#include "base/text.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "op/op.h"

enum { SIZE_LEAST = 4, SIZE_MIDDLE = 64, SIZE_STEP = 16, SIZE_MOST = 128, THREADS_MOST = 256, WARP = 32, FEW = 8 };

/* Bytes: most for several matrices of a block; what is left for the rest; what a kernel has without asking for more. */
enum { SHARED_SEVERAL = 40 << 10, SHARED_REST = 3 << 10, SHARED_FREE = 44 << 10 };
enum { DYNAMIC_SHARED = 8 }; /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */

/* As small.cuh has it. */
typedef struct parameters {
    void *arrays[3];
    int *info;
    int64_t batch, rows, columns, others;
} parameters;

typedef enum work { OF_ROWS, OF_COLUMNS, OF_OTHERS } work; /* what a thread has of a matrix */

static const struct {
    const char *text; /* NULL: none */
    work work;
    int option;      /* that it has */
    int others_from; /* which extent of the last array, from its end, p.others is; 0: none */
} rows[CN_FACTOR_COUNT] = {
    [CN_FACTOR_LU] = {"small_lu", OF_ROWS, 0, 0},
    [CN_FACTOR_LU_SOLVE] = {"small_solve", OF_OTHERS, 1, 2},
    [CN_FACTOR_CHOLESKY] = {"small_cholesky", OF_ROWS, 0, 0},
    [CN_FACTOR_QR] = {"small_qr", OF_COLUMNS, 0, 0},
    [CN_FACTOR_QR_Q] = {"small_q", OF_COLUMNS, 0, 1},
};

static int64_t extent(const cni_call_array *a, int from_last)
{
    return from_last > 0 ? a->shape[a->ndim - from_last] : 0;
}

/* The least of least, 2 least, ... that is not below n. */
static int64_t power_above(int64_t n, int64_t least)
{
    while (least < n) {
        least *= 2;
    }
    return least;
}

/* Of right-hand sides so few that a thread with one of them would leave others idle, all have a row. */
static bool is_few(work what, int64_t size, int64_t others)
{
    return what == OF_OTHERS && FEW * others <= size;
}

static int64_t size_of(int64_t height, int64_t width)
{
    int64_t n = height > width ? height : width;
    return n <= SIZE_MIDDLE ? power_above(n, SIZE_LEAST) : (n + SIZE_STEP - 1) / SIZE_STEP * SIZE_STEP;
}

static int64_t bytes_of(int64_t size, int64_t itemsize)
{
    return size * (size + 1) * itemsize;
}

/* Threads of a right-hand side (small_solve.cuh): each has up to 16 elements of it. */
static int64_t phases_of(int64_t size)
{
    return size > SIZE_MIDDLE ? 8 : 4;
}

static int64_t team_of(work what, int64_t size, int64_t others)
{
    if (what == OF_OTHERS && !is_few(what, size, others)) {
        int64_t phases = phases_of(size), most = size < others ? size : others;
        int64_t team = phases * power_above(most, size < 2 * phases ? 1 : size / (2 * phases));
        team = team > WARP ? (team + WARP - 1) / WARP * WARP : team;
        return team < 4 * size ? team : 4 * size;
    }
    return what == OF_ROWS && size > SIZE_MIDDLE ? 4 * size : what == OF_ROWS && size > WARP ? THREADS_MOST : size;
}

/* How many matrices a block has: of threads and of memory there is enough. */
static int64_t teams_of(int64_t team, int64_t size, int64_t itemsize)
{
    int64_t teams = 1;
    while (2 * teams * team <= THREADS_MOST && 2 * teams * bytes_of(size, itemsize) <= SHARED_SEVERAL) {
        teams *= 2;
    }
    return teams;
}

bool cni_cuda_small_fits(int64_t height, int64_t width, int64_t itemsize)
{
    int64_t size = size_of(height, width);
    return size <= SIZE_MOST && bytes_of(size, itemsize) + SHARED_REST <= cni_cuda_gpu.shared_bytes;
}

static const cni_cuda_module *module_for(cn_factor factor, cn_dtype dtype, int64_t size, int64_t team, int64_t teams,
                                         bool few)
{
    bool single = dtype == CN_FLOAT32 || dtype == CN_COMPLEX64;
    cni_text text = {0};
    cni_text_add(&text, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n");
    cni_text_add(&text, "#define TYPE %s\n#define PARTS %d\n", cni_dtypes[dtype].type, dtype >= CN_COMPLEX64 ? 2 : 1);
    cni_text_add(&text, "#define REAL %s\n#define FMA __builtin_fma%s\n#define LEAST %s\n#define MOST %s\n",
                 single ? "float" : "double", single ? "f" : "", single ? "1e-30f" : "1e-280",
                 single ? "1e30f" : "1e280");
    cni_text_add(&text, "#define SIZE %d\n#define TEAM %d\n#define TEAMS %d\n#define FEW %d\n#define PHASES %d\n",
                 (int)size, (int)team, (int)teams, (int)few, (int)phases_of(size));
    cni_text_add(&text, "#include \"cuda/%s.cuh\"\n", rows[factor].text);
    const cni_cuda_module *module = text.data != NULL ? cni_cuda_module_begin(text.data) : NULL;
    cni_text_free(&text);
    return module != NULL && cni_cuda_module_ready(module, true) ? module : NULL;
}

bool cni_cuda_small_run(const cni_device_call *call, int64_t batch, int *info)
{
    const cni_call_array *a = &call->arrays[0];
    int64_t itemsize = (int64_t)cn_dtype_size(a->dtype);
    parameters p = {.info = info,
                    .batch = batch,
                    .rows = extent(a, 1),
                    .columns = extent(a, 2),
                    .others = extent(&call->arrays[call->narrays - 1], rows[call->factor].others_from)};
    bool fits = rows[call->factor].text != NULL && call->option == rows[call->factor].option &&
                cni_cuda_small_fits(p.rows, p.columns, itemsize);
    if (!fits) {
        return false;
    }
    int64_t size = size_of(p.rows, p.columns);
    int64_t team = team_of(rows[call->factor].work, size, p.others), teams = teams_of(team, size, itemsize);
    bool few = is_few(rows[call->factor].work, size, p.others);
    int shared = (int)(teams * bytes_of(size, itemsize));
    const cni_cuda_module *module = module_for(call->factor, a->dtype, size, team, teams, few);
    if (module == NULL ||
        (shared > SHARED_FREE && cni_cuda.function_set(module->kernel[0], DYNAMIC_SHARED, shared) != 0)) {
        return false;
    }
    for (int i = 0; i < call->narrays; i++) {
        p.arrays[i] = call->arrays[i].data;
    }
    cni_cuda_launch_shared(module->kernel, (batch + teams - 1) / teams, (unsigned)(team * teams), (unsigned)shared, &p,
                           sizeof p);
    return true;
}
