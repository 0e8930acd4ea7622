/* fourier_split.c - one long line by all threads; see fourier.h. */
#include "base/threads.h"
#include "cpu/fourier.h"
#include "cpu/group.h"

typedef struct sharing {
    const cni_fourier_crew *crew;
    cni_fourier_step step;
    void *context;
    int64_t n, quantum;
} sharing;

static void run_share(void *context, int t)
{
    const sharing *s = context;
    int64_t pieces = (s->n + s->quantum - 1) / s->quantum;
    int64_t begin = cni_lane_begin(pieces, t, s->crew->threads) * s->quantum;
    int64_t end = cni_lane_begin(pieces, t + 1, s->crew->threads) * s->quantum;
    cni_shared_events_begin(s->crew->events);
    if (begin < end) {
        s->step(s->crew, s->context, t, begin, end < s->n ? end : s->n);
    }
    cni_shared_events_note(s->crew->events);
}

void cni_fourier_share(const cni_fourier_crew *crew, int64_t n, int64_t quantum, cni_fourier_step step, void *context)
{
    sharing s = {crew, step, context, n, quantum};
    cni_threads_run(crew->threads, run_share, &s);
}

/* ---- Columns, then rows ---- */

typedef struct split {
    cni_fourier_piece piece;
    void (*kernel)(const cni_fourier_piece *piece);
    int together;
} split;

static void run_strips(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const split *s = context;
    cni_fourier_piece piece = s->piece;
    piece.work = crew->work + thread * crew->work_bytes;
    for (int64_t i = begin; i < end; i += s->together) {
        piece.begin = piece.first + i;
        piece.end = piece.first + (i + s->together < end ? i + s->together : end);
        s->kernel(&piece);
    }
}

static void share_strips(const cni_fourier_crew *crew, const cni_fourier_piece *piece,
                         void (*kernel)(const cni_fourier_piece *piece))
{
    split s = {.piece = *piece, .kernel = kernel, .together = cni_fourier_lanes(piece->plan->rows->n)};
    cni_fourier_share(crew, piece->count, s.together, run_strips, &s);
}

void cni_fourier_columns(const cni_fourier_crew *crew, const cni_fourier_piece *piece)
{
    share_strips(crew, piece, crew->kernels->columns);
}

void cni_fourier_rows(const cni_fourier_crew *crew, const cni_fourier_piece *piece)
{
    share_strips(crew, piece, crew->kernels->rows);
}

void cni_fourier_split(const cni_fourier_crew *crew, const cni_fourier_plan *plan, const void *from, void *between,
                       void *to, bool swap, bool swap_out, double scale)
{
    int64_t all[2] = {0, plan->rows->n};
    cni_fourier_piece columns = {.plan = plan, .from = from, .to = between, .count = plan->rows->n, .swap = swap},
                      rows = {.plan = plan,
                              .from = between,
                              .to = to,
                              .count = plan->columns->n,
                              .blocks = 1,
                              .cuts = all,
                              .swap_out = swap_out,
                              .scale = scale};
    cni_fourier_columns(crew, &columns);
    cni_fourier_rows(crew, &rows);
}

/* ---- Bluestein ---- */

static void run_piece(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const split *s = context;
    cni_fourier_piece piece = s->piece;
    (void)crew;
    (void)thread;
    piece.begin = begin;
    piece.end = end;
    s->kernel(&piece);
}

enum { SHARE = 4096 };

static void multiply(const cni_fourier_crew *crew, int64_t n, cni_fourier_piece piece)
{
    split s = {.piece = piece, .kernel = crew->kernels->times};
    cni_fourier_share(crew, n, SHARE, run_piece, &s);
}

/* between: pairs of the convolution, twice */
static void convolve(const cni_fourier_crew *crew, const cni_fourier_plan *plan, const void *from, char *between,
                     void *to, bool swap, double scale)
{
    const cni_fourier_plan *inner = plan->convolution;
    char *line = between, *other = between + 2 * inner->n * (int64_t)sizeof(double);
    cni_fourier_piece chirp = {.table = plan->chirp, .entries = plan->n, .from = from, .to = line, .scale = 1},
                      spectrum = {.table = plan->spectrum, .entries = inner->n, .from = line, .to = line, .scale = 1};
    chirp.swap = swap;
    multiply(crew, inner->n, chirp);
    cni_fourier_split(crew, inner, line, other, line, false, false, 1);
    multiply(crew, inner->n, spectrum);
    cni_fourier_split(crew, inner, line, other, line, true, true, 1);
    chirp.from = line, chirp.to = to;
    chirp.swap = false, chirp.swap_out = swap;
    chirp.scale = scale;
    multiply(crew, plan->n, chirp);
}

/* ---- Lines ---- */

typedef struct line {
    const cni_fourier_job *job;
    const char *in;
    char *out;
    void *pairs;
} line;

static void pack(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const line *l = context;
    (void)thread;
    crew->kernels->pack[l->job->number == sizeof(float)](l->job, l->in, l->pairs, begin, end);
}

static void unpack(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const line *l = context;
    (void)thread;
    crew->kernels->unpack[l->job->number == sizeof(float)](l->job, l->pairs, l->out, begin, end);
}

static void halve(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const line *l = context;
    (void)thread;
    crew->kernels->halve(l->job->f, l->pairs, l->pairs, begin, end, l->job->backward);
}

static void unhalve(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const line *l = context;
    (void)thread;
    crew->kernels->unhalve(l->job->f, l->pairs, l->pairs, begin, end, !l->job->backward);
}

/* Is the line already what packing would make of it? And may its result be pairs? */
static bool is_packed(const cni_fourier_job *job)
{
    int64_t size = sizeof(double);
    bool whole = job->number == sizeof(double) && job->have == job->f->n;
    return whole && (job->kind == CNI_FOURIER_COMPLEX
                         ? job->in_stride == 2 * size
                         : job->kind != CNI_FOURIER_REAL && job->f->n % 2 == 0 && job->in_stride == size);
}

static bool is_unpacked(const cni_fourier_job *job)
{
    int64_t size = sizeof(double);
    bool even = job->f->n % 2 == 0;
    return job->number == sizeof(double) && ((job->kind == CNI_FOURIER_COMPLEX && job->out_stride == 2 * size) ||
                                             (job->kind == CNI_FOURIER_HALF && even && job->out_stride == 2 * size) ||
                                             (job->kind == CNI_FOURIER_REAL && even && job->out_stride == size));
}

void cni_fourier_long_line(const cni_fourier_crew *crew, const cni_fourier_job *job, const char *in, char *out,
                           char *pairs, char *between)
{
    const cni_fourier_plan *plan = job->f->plan;
    int64_t n = job->f->n;
    bool even = job->f->real && n % 2 == 0, swap = job->kind == CNI_FOURIER_REAL;
    line l = {.job = job, .in = in, .out = out, .pairs = pairs};
    const void *from = pairs;
    void *to = is_unpacked(job) ? out : pairs;
    if (is_packed(job)) {
        from = in;
    } else {
        cni_fourier_share(crew, plan->n + (even && swap ? 1 : 0), SHARE, pack, &l);
    }
    if (even && swap) {
        cni_fourier_share(crew, n / 4 + 1, SHARE, unhalve, &l);
    }
    swap |= job->backward && job->kind == CNI_FOURIER_COMPLEX;
    if (plan->way == CNI_FOURIER_CHIRP) {
        convolve(crew, plan, from, between, to, swap, job->scale);
    } else {
        cni_fourier_split(crew, plan, from, between, to, swap, swap, job->scale);
    }
    l.pairs = to;
    if (even && job->kind != CNI_FOURIER_REAL) {
        cni_fourier_share(crew, n / 4 + 1, SHARE, halve, &l);
    }
    if (to != out) {
        int64_t results = job->kind == CNI_FOURIER_HALF ? n / 2 + 1 : even && swap ? n / 2 : n;
        cni_fourier_share(crew, results, SHARE, unpack, &l);
    }
}
