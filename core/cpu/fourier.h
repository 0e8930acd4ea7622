/*
 * fourier.h - Fourier transforms of lines: plans (what a length needs) and the kernels, one table an instruction set.
 *
 * The algorithm is a function of the length alone, and every kernel does the same operations on a line however many it
 * takes together: results do not depend on how lines are shared out. No fused multiplications: all instruction sets have
 * the same bits. Whatever the precision of lines, everything between is in double, as NumPy has it. Kernels keep real and imaginary parts apart, and of several lines (lanes) element i of all together:
 * lane l of element i is at [i * lanes + l]. They transform forward; backward is forward with the parts exchanged.
 */
#ifndef CNI_FOURIER_H
#define CNI_FOURIER_H

#include "base/memory.h"
#include "cnumeric.h"
#include "cpu/shared_events.h"

enum {
    CNI_FOURIER_PASSES = 32,
    CNI_FOURIER_RADIX = 127,         /* greatest prime that is a pass of its own */
    CNI_FOURIER_DIRECT_MOST = 16384, /* points of a line that stays in the cache with what it needs */
    CNI_FOURIER_PAD = 64, /* reals behind each plane and table, which kernels may read (and write, of planes) */
    CNI_FOURIER_LANES = 16
};

typedef enum cni_fourier_way {
    CNI_FOURIER_DIRECT, /* passes, one for each factor (Stockham's order) */
    CNI_FOURIER_SPLIT,  /* columns, then rows, of the line as a matrix */
    CNI_FOURIER_CHIRP   /* Bluestein's convolution */
} cni_fourier_way;

/* Factor `radix` of what is left, radix * m points: twiddles w^(p k) by k in [1, radix), then part, then p in [0, m). */
typedef struct cni_fourier_pass {
    int64_t radix, m;
    double *twiddles;
    double *roots; /* cosines, then sines, of j / radix turns */
} cni_fourier_pass;

/* e -> e / n turns backwards, from two tables: low[e & mask] high[e >> shift]; each cosines, then sines, `room` apart. */
typedef struct cni_fourier_roots {
    int shift;
    int64_t low_room, high_room;
    double *low, *high; /* high NULL: low has all */
} cni_fourier_roots;

typedef struct cni_fourier_plan {
    int64_t n;
    cni_fourier_way way;
    int npasses;
    cni_fourier_pass passes[CNI_FOURIER_PASSES];
    struct cni_fourier_plan *columns, *rows; /* SPLIT */
    cni_fourier_roots roots;
    struct cni_fourier_plan *convolution; /* CHIRP */
    double *chirp;                        /* n: cosines, then sines, CNI_FOURIER_PAD behind each */
    double *spectrum;                     /* of the convolution, scaled: likewise */
} cni_fourier_plan;

/* What lines of n points need; real lines of an even number are transformed as half as many pairs. */
typedef struct cni_fourier {
    int64_t n;
    bool real;
    cni_fourier_plan *plan;
    cni_fourier_roots halves; /* real and even: e / n turns for e up to n / 4 */
} cni_fourier;

/* The points that are transformed, and those that the kernels work on. */
static inline int64_t cni_fourier_points(const cni_fourier *f)
{
    return f->plan->n;
}

static inline const cni_fourier_plan *cni_fourier_inner(const cni_fourier_plan *p)
{
    return p->way == CNI_FOURIER_CHIRP ? p->convolution : p;
}

/* Is a line done by several threads, in memory? */
static inline bool cni_fourier_is_long(const cni_fourier_plan *p)
{
    return cni_fourier_inner(p)->way == CNI_FOURIER_SPLIT;
}

/* ---- Plans ---- */

/* What lines take, known without a plan. */
typedef struct cni_fourier_size {
    int64_t bytes, spare;  /* of the plan; of memory while it is made */
    int64_t points, inner; /* that are transformed, and that the kernels work on */
    int64_t rows;          /* points of a row of a long line, else 0 */
} cni_fourier_size;

cni_fourier_size cni_fourier_measure(int64_t n, bool real);
cni_fourier_size cni_fourier_size_get(int64_t n, bool real); /* the same, remembered */

/* Makes the plan in memory of `bytes`, where it begins, with `spare` beside it. */
cni_fourier *cni_fourier_make(int64_t n, bool real, void *memory, void *spare);

/* The same without the chirp and its spectrum, for long lines of which nobody has all (joint_fourier.c). */
cni_fourier_size cni_fourier_measure_bare(int64_t n, bool real);
cni_fourier *cni_fourier_make_bare(int64_t n, bool real, void *memory, void *spare);

/* An eighth of a turn in units of 1 / (8 n), from two tables: roots of any element of n come of it. */
typedef struct cni_fourier_circle {
    int64_t n, mask;
    int shift;
    long double *low, *high; /* cosine, sine */
} cni_fourier_circle;

int64_t cni_fourier_circle_bytes(int64_t n);
void cni_fourier_circle_make(int64_t n, void *memory, cni_fourier_circle *circle);

/* Half turns of i * i / n, i in [begin, end), backwards; the circle is of 2 n. */
void cni_fourier_chirp(const cni_fourier_circle *circle, int64_t begin, int64_t end, double *cosines, double *sines);

/* A plan from the cache, to be given back; NULL: it is too large, or there is no memory. */
cni_fourier *cni_fourier_get(int64_t n, bool real);
void cni_fourier_put(cni_fourier *f);

/* ---- Lines ---- */

typedef enum cni_fourier_kind {
    CNI_FOURIER_COMPLEX, /* to as many */
    CNI_FOURIER_HALF,    /* real to the first half of the spectrum */
    CNI_FOURIER_WHOLE,   /* real to the whole spectrum */
    CNI_FOURIER_REAL     /* the first half of a spectrum to real */
} cni_fourier_kind;

/* Lines of one length. Strides are in bytes; what is not there of a line is 0. */
typedef struct cni_fourier_job {
    const cni_fourier *f;
    cni_fourier_kind kind;
    bool backward;
    double scale;
    int64_t have; /* elements of an input line, at most as many as are needed */
    int64_t in_stride, out_stride;
    int64_t in_size, out_size; /* of an element */
    int64_t number;            /* size of a real one: of double or of float */
} cni_fourier_job;

/* Some lines together: where each begins. */
typedef struct cni_fourier_lines {
    int lanes;
    const char *in[CNI_FOURIER_LANES];
    char *out[CNI_FOURIER_LANES];
    int64_t in_apart, out_apart; /* bytes from each to the next; 0: they lie otherwise */
} cni_fourier_lines;

/*
 * A long line, contiguous pairs of numbers, and the elements, columns or rows [begin, end) of it that a thread does. Memory
 * may be of some columns or rows alone; rows are read in blocks that have some columns of all of them, one behind the other.
 */
typedef struct cni_fourier_piece {
    const cni_fourier_plan *plan;
    const void *from;
    void *to;
    int64_t begin, end;
    int64_t first, count; /* columns or rows that there are in memory */
    int blocks;           /* of rows: */
    const int64_t *cuts;  /* where a block's columns begin, and behind the last */
    const double *table;  /* that elements are multiplied by: cosines, then sines, CNI_FOURIER_PAD behind each */
    int64_t entries;
    bool swap, swap_out; /* exchange the parts of what is read, of what is written */
    double scale;
    void *work;
} cni_fourier_piece;

/* Lanes of planes that stay in the cache; columns or rows of a split line that are done together. */
static inline int cni_fourier_lanes(int64_t points)
{
    return points <= 2048 ? 16 : points <= 4096 ? 8 : 4;
}

typedef struct cni_fourier_kernels {
    /* All of some lines; work: cni_fourier_work bytes. */
    void (*lines)(const cni_fourier_job *job, const cni_fourier_lines *lines, void *work);
    /* Planes of a plan that is not SPLIT; false: the result is in a, true: in b. */
    bool (*run)(const cni_fourier_plan *plan, int lanes, double *a_re, double *a_im, double *b_re, double *b_im);
    void (*columns)(const cni_fourier_piece *piece); /* begin, end: columns */
    void (*rows)(const cni_fourier_piece *piece);    /* of what columns made */
    void (*times)(const cni_fourier_piece *piece);   /* to[i] = from[i] table[i], 0 beyond the table; elements */
    /* Elements [begin, end) of a line to pairs, and of the pairs of a result to its line; of double and of float. */
    void (*pack[2])(const cni_fourier_job *job, const char *line, void *pairs, int64_t begin, int64_t end);
    void (*unpack[2])(const cni_fourier_job *job, const void *pairs, char *line, int64_t begin, int64_t end);
    /* Pairs k of low and n / 2 - k of high, for k from 0 to n / 4: of a transform of pairs, its halved spectrum, in place;
       and back. Where a line is whole, low is high. */
    void (*halve)(const cni_fourier *f, double *low, double *high, int64_t begin, int64_t end, bool conjugate);
    void (*unhalve)(const cni_fourier *f, double *low, double *high, int64_t begin, int64_t end, bool conjugate);
} cni_fourier_kernels;

const cni_fourier_kernels *cni_fourier_kernels_get(void);

/* Numbers of a plane of so many points and lanes: one more point, and what kernels may touch; whole cache lines. */
static inline int64_t cni_fourier_plane(int64_t points, int64_t lanes)
{
    return ((points + 1) * lanes + CNI_FOURIER_PAD + 15) & ~INT64_C(15);
}

/* Bytes of planes. */
static inline int64_t cni_fourier_planes(int64_t points, int lanes)
{
    return 4 * cni_fourier_plane(points, lanes) * (int64_t)sizeof(double);
}

/* ---- Long lines ---- */

/* Threads and their memory: planes of a row for each. */
typedef struct cni_fourier_crew {
    int threads;
    char *work;
    int64_t work_bytes;
    const cni_fourier_kernels *kernels;
    cni_shared_events *events;
} cni_fourier_crew;

/* Calls step on pieces of [0, n), a thread each, that begin at multiples of quantum. */
typedef void (*cni_fourier_step)(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end);
void cni_fourier_share(const cni_fourier_crew *crew, int64_t n, int64_t quantum, cni_fourier_step step, void *context);

/* Some columns, or rows, of a SPLIT plan by all threads: those that the piece has in memory. */
void cni_fourier_columns(const cni_fourier_crew *crew, const cni_fourier_piece *piece);
void cni_fourier_rows(const cni_fourier_crew *crew, const cni_fourier_piece *piece);

/*
 * The transform of pairs by a SPLIT plan. between: as many pairs; to may be from. swap, swap_out: exchanges the parts of
 * what comes and goes.
 */
void cni_fourier_split(const cni_fourier_crew *crew, const cni_fourier_plan *plan, const void *from, void *between,
                       void *to, bool swap, bool swap_out, double scale);

/* All of a long line. pairs: of its points and one more; between: of its inner points, twice if it is convolved. */
void cni_fourier_long_line(const cni_fourier_crew *crew, const cni_fourier_job *job, const char *in, char *out,
                           char *pairs, char *between);

#endif
