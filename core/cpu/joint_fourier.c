/*
 * joint_fourier.c - the transform of a long line that places have pieces of: what one place does by columns, then rows
 * (fourier_long.h), each place does for some of the columns, then some of the rows. Results have the same bits.
 *
 * Primes, too: of the chirp and its spectrum each place makes what it multiplies by, and the chirp is transformed as a line is.
 */
#include <string.h>

#include "base/status.h"
#include "base/threads.h"
#include "cpu/joint_line.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"
#include "op/op.h"

enum { TABLE = 2048, SHARE = 4096, WORK = 24 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- Steps of a place ---- */

/* Elements in memory and pairs of them, or points that are multiplied. */
typedef struct step {
    const cni_line *f;
    cni_fourier_piece piece;
    char *line;
    double *pairs;       /* of the first point */
    int64_t first;       /* point */
    const double *strip; /* multiplied by this, NULL: by the chirp */
    double *low, *high;  /* halves: where point 0 would be */
} step;

static void share(const cni_line *f, int64_t n, cni_fourier_step run, step *s)
{
    s->f = f;
    cni_fourier_share(&f->crew, n, SHARE, run, s);
}

/* Kernels count points of the line, wherever its pairs are. */
static double *from_zero(double *pairs, int64_t first)
{
    return (double *)((uintptr_t)pairs - (uintptr_t)(2 * first * CNI_LINE_NUMBER));
}

static void run_pack(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    const cni_fourier_job *job = &s->f->job;
    (void)thread;
    crew->kernels->pack[job->number == sizeof(float)](job, s->line, from_zero(s->pairs, s->first), s->first + begin,
                                                      s->first + end);
}

static void run_unpack(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    const cni_fourier_job *job = &s->f->job;
    (void)thread;
    crew->kernels->unpack[job->number == sizeof(float)](job, from_zero(s->pairs, s->first), s->line,
                                                        s->piece.first + begin, s->piece.first + end);
}

static void take_in(const cni_line *f, int k)
{
    int place = f->j->world->first + k;
    cni_line_side in;
    cni_line_in(f, place, &in);
    for (int i = 0; i < in.n; i++) {
        step s = {.line = cni_joint_data(f->j, 1, k) + f->in_at,
                  .pairs = cni_line_numbers(f->j->moves->asked[k]) + in.base[i],
                  .first = in.at[i].begin / 2};
        share(f, (in.at[i].end + 1) / 2 - s.first, run_pack, &s);
    }
}

/* Results [own.begin, own.end) of pairs whose points begin with `first`. */
static void put(const cni_line *f, int k, double *pairs, int64_t first, cni_line_span own)
{
    step s = {.line = cni_joint_data(f->j, 0, k) + f->out_at, .pairs = pairs, .first = first};
    s.piece.first = own.begin;
    if (own.begin < own.end) {
        share(f, own.end - own.begin, run_unpack, &s);
    }
}

static void put_out(const cni_line *f, int k)
{
    int place = f->j->world->first + k;
    cni_line_span own = cni_line_owned(f, place), direct, conjugate;
    double *pairs = cni_line_numbers(f->j->moves->asked[k]);
    cni_line_side out;
    cni_line_out(f, place, &out);
    if (f->job.kind == CNI_FOURIER_COMPLEX || f->job.kind == CNI_FOURIER_REAL) {
        put(f, k, pairs, out.at[0].begin / 2, f->even ? (cni_line_span){own.begin / 2, (own.end + 1) / 2} : own);
        return;
    }
    cni_line_halves(f, place, &direct, &conjugate);
    int other = f->even ? 2 : 1;
    put(f, k, pairs, direct.begin, direct);
    put(f, k, pairs + out.base[other], conjugate.begin, (cni_line_span){f->n - conjugate.end + 1, own.end});
}

/* ---- Halves of spectra ---- */

static void run_halve(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    (void)thread;
    crew->kernels->halve(s->f->job.f, s->low, s->high, s->first + begin, s->first + end, s->f->job.backward);
}

static void run_unhalve(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    (void)thread;
    crew->kernels->unhalve(s->f->job.f, s->low, s->high, s->first + begin, s->first + end, !s->f->job.backward);
}

/* The span's points and their mirror image: those below the middle are low, the others high. */
static void turn_span(const cni_line *f, cni_fourier_step run, cni_line_span own, double *pairs, double *mirror)
{
    int64_t h = f->n / 2, image = h - own.end + 1, low = least(own.end, h / 2 + 1), high = most(own.begin, h / 2 + 1);
    step below = {.low = from_zero(pairs, own.begin), .high = from_zero(mirror, image), .first = own.begin};
    step above = {.low = from_zero(mirror, image), .high = from_zero(pairs, own.begin), .first = image};
    if (own.begin < low) {
        share(f, low - own.begin, run, &below);
    }
    if (high < own.end) {
        share(f, own.end - high, run, &above);
    }
}

static void halve_out(const cni_line *f, int k)
{
    cni_line_span parts[2];
    cni_line_side out;
    cni_line_out(f, f->j->world->first + k, &out);
    cni_line_halves(f, f->j->world->first + k, &parts[0], &parts[1]);
    for (int i = 0; i < 2; i++) {
        double *pairs = cni_line_numbers(f->j->moves->asked[k]);
        turn_span(f, run_halve, parts[i], pairs + out.base[2 * i], pairs + out.base[2 * i + 1]);
    }
}

static void unhalve_in(const cni_line *f, int k)
{
    double *pairs = cni_line_numbers(f->j->moves->asked[k]);
    cni_line_side all;
    cni_line_even(f, f->j->world->first + k, &all);
    turn_span(f, run_unhalve, (cni_line_span){all.at[0].begin / 2, all.at[0].end / 2}, pairs, pairs + all.base[1]);
}

/* What is not there of an odd line's spectrum is 0, conjugate in one half. */
static void sign_zeros(const cni_line *f, int k)
{
    double *pairs = cni_line_numbers(f->j->moves->asked[k]);
    cni_line_side all;
    cni_line_even(f, f->j->world->first + k, &all);
    for (int64_t i = all.at[0].begin / 2; f->job.have < f->needs && i < all.at[0].end / 2; i++) {
        int64_t half = 2 * i < f->n ? i : f->n - i;
        if (half >= f->job.have && (half != i) == f->job.backward) {
            pairs[2 * i - all.at[0].begin + 1] = -0.0;
        }
    }
}

/* ---- Bluestein ---- */

/* Backward chirp, or a strip's pairs, as a table. */
static void run_times(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    double *cosines = cni_line_numbers(crew->work + thread * crew->work_bytes);
    cni_fourier_piece piece = s->piece;
    for (int64_t i = begin; i < end; i += TABLE) {
        int64_t count = least(TABLE, end - i);
        double *sines = cosines + count + CNI_FOURIER_PAD;
        if (s->strip == NULL) {
            cni_fourier_chirp(&s->f->circle, s->first + i, s->first + i + count, cosines, sines);
        }
        for (int64_t l = 0; l < count && s->strip != NULL; l++) {
            cosines[l] = s->strip[2 * (i + l)], sines[l] = s->strip[2 * (i + l) + 1];
        }
        piece.from = piece.to = s->pairs + 2 * i;
        piece.table = cosines;
        piece.entries = piece.end = count;
        crew->kernels->times(&piece);
    }
}

static void times_chirp(const cni_line *f, int k, cni_line_side_of points, cni_fourier_piece piece)
{
    cni_line_side spans;
    points(f, f->j->world->first + k, &spans);
    for (int i = 0; i < spans.n; i++) {
        step s = {.piece = piece,
                  .pairs = cni_line_numbers(f->j->moves->asked[k]) + spans.base[i],
                  .first = spans.at[i].begin / 2};
        share(f, spans.at[i].end / 2 - s.first, run_times, &s);
    }
}

static int64_t strip_points(const cni_line_side *s)
{
    return s->at[0].end / s->wide * (s->high - s->low) / 2;
}

static void times_spectrum(const cni_line *f, int k)
{
    cni_line_side rows;
    cni_line_rows(f, f->j->world->first + k, &rows);
    step s = {.piece = {.scale = 1},
              .pairs = cni_line_numbers(f->j->moves->asked[k]),
              .strip = cni_line_numbers(f->spectra + k * f->strip)};
    share(f, strip_points(&rows), run_times, &s);
}

/* Point i of the chirp the other way round, wrapped and scaled. */
static void run_wrapped(const cni_fourier_crew *crew, void *context, int thread, int64_t begin, int64_t end)
{
    const step *s = context;
    int64_t points = s->f->size.inner, n = s->f->size.points, wide = s->piece.count;
    (void)crew;
    (void)thread;
    for (int64_t x = begin; x < end; x++) {
        int64_t i = x / wide * s->f->columns + s->first + x % wide, other = i < n ? i : points - i;
        double cosine = 0, sine = 0;
        if (other < n) {
            cni_fourier_chirp(&s->f->circle, other, other + 1, &cosine, &sine);
            cosine = cosine / (double)points, sine = -sine / (double)points;
        }
        s->pairs[2 * x] = cosine, s->pairs[2 * x + 1] = sine;
    }
}

static void wrap_chirp(const cni_line *f, int k)
{
    cni_line_side columns;
    cni_line_columns(f, f->j->world->first + k, &columns);
    step s = {.pairs = cni_line_numbers(f->j->moves->asked[k]), .first = columns.low / 2};
    s.piece.count = (columns.high - columns.low) / 2;
    share(f, strip_points(&columns), run_wrapped, &s);
}

/* ---- Lines ---- */

/* Strips of columns to strips of rows, transformed. */
static cn_status split(const cni_line *f, bool swap, bool swap_out, double scale)
{
    cni_alltoall *x = f->j->moves;
    cni_line_side strip;
    for (int k = 0; k < x->world->local; k++) {
        cni_line_columns(f, x->world->first + k, &strip);
        cni_fourier_piece piece = {.plan = f->plan, .from = x->asked[k], .to = x->asked[k], .swap = swap};
        piece.first = strip.low / 2;
        piece.count = (strip.high - strip.low) / 2;
        cni_fourier_columns(&f->crew, &piece);
    }
    CN_TRY(cni_line_exchange_rows(f));
    int64_t *cuts = (int64_t *)(void *)(f->crew.work + f->crew.threads * f->crew.work_bytes);
    for (int place = 0; place <= f->places; place++) {
        cuts[place] = cni_line_cut(f->columns, place, f->places);
    }
    for (int k = 0; k < x->world->local; k++) {
        cni_line_rows(f, x->world->first + k, &strip);
        cni_fourier_piece piece = {.plan = f->plan, .from = x->heard[k], .to = x->asked[k], .blocks = f->places};
        piece.cuts = cuts;
        piece.first = strip.low / 2;
        piece.count = (strip.high - strip.low) / 2;
        piece.swap_out = swap_out;
        piece.scale = scale;
        cni_fourier_rows(&f->crew, &piece);
    }
    return CN_OK;
}

static cn_status make_spectra(const cni_line *f)
{
    cni_alltoall *x = f->j->moves;
    for (int k = 0; k < x->world->local; k++) {
        wrap_chirp(f, k);
    }
    CN_TRY(split(f, false, false, 1));
    for (int k = 0; k < x->world->local; k++) {
        memcpy(f->spectra + k * f->strip, x->asked[k], (size_t)f->strip);
    }
    return CN_OK;
}

/* From points shared out evenly to those that results come of. */
static cn_status convolve(const cni_line *f, bool swap)
{
    int local = f->j->world->local;
    for (int k = 0; k < local; k++) {
        times_chirp(f, k, cni_line_points, (cni_fourier_piece){.swap = swap, .scale = 1});
    }
    CN_TRY(cni_line_exchange(f, cni_line_points, cni_line_columns, true));
    CN_TRY(split(f, false, false, 1));
    for (int k = 0; k < local; k++) {
        times_spectrum(f, k);
    }
    CN_TRY(cni_line_exchange(f, cni_line_rows, cni_line_inner, false));
    CN_TRY(cni_line_exchange(f, cni_line_inner, cni_line_columns, false));
    CN_TRY(split(f, true, true, 1));
    CN_TRY(cni_line_exchange(f, cni_line_rows, cni_line_out, false));
    for (int k = 0; k < local; k++) {
        times_chirp(f, k, cni_line_out, (cni_fourier_piece){.swap_out = swap, .scale = f->job.scale});
    }
    return CN_OK;
}

static cn_status transform(const cni_line *f)
{
    int local = f->j->world->local;
    bool real = f->job.kind == CNI_FOURIER_REAL, chirp = f->size.inner != f->size.points,
         missing = f->job.have < f->needs, swap = real || (f->job.backward && f->job.kind == CNI_FOURIER_COMPLEX);
    if (chirp) {
        CN_TRY(make_spectra(f));
    }
    for (int k = 0; k < local; k++) {
        take_in(f, k);
    }
    if (real || chirp) {
        CN_TRY(cni_line_exchange(f, cni_line_in, cni_line_even, missing));
    }
    for (int k = 0; k < local && real; k++) {
        (f->even ? unhalve_in : sign_zeros)(f, k);
    }
    if (chirp) {
        CN_TRY(convolve(f, swap));
    } else {
        CN_TRY(cni_line_exchange(f, real ? cni_line_points : cni_line_in, cni_line_columns, missing && !real));
        CN_TRY(split(f, swap, swap, f->job.scale));
        CN_TRY(cni_line_exchange(f, cni_line_rows, cni_line_out, false));
    }
    for (int k = 0; k < local; k++) {
        if (f->even && !real) {
            halve_out(f, k);
        }
        put_out(f, k);
    }
    return CN_OK;
}

/* ---- The op ---- */

static cni_line line_made(const cni_joint *j)
{
    uint32_t out = j->part->access[0].view, in = j->part->access[1].view;
    const cni_op *op = &j->window->ops[j->part->op];
    cni_line f = {.j = j,
                  .axis = op->parameter,
                  .places = j->world->places,
                  .out = cni_window_geometry(j->window, out),
                  .in = cni_window_geometry(j->window, in)};
    bool real;
    f.job = cni_fourier_job_of(op, &f.out, (cn_dtype)j->window->views[out].dtype, &f.in,
                               (cn_dtype)j->window->views[in].dtype, &f.n, &real);
    f.lines = cni_element_count(f.out.ndim, f.out.shape) / f.out.shape[f.axis];
    f.even = real && f.n % 2 == 0;
    f.needs = f.job.kind == CNI_FOURIER_REAL ? f.n / 2 + 1 : f.n;
    f.size = cni_fourier_measure_bare(f.n, real);
    f.columns = f.size.rows;
    f.rows = f.size.inner / f.size.rows;
    int64_t rows = (f.rows + f.places - 1) / f.places, columns = (f.columns + f.places - 1) / f.places;
    f.strip = 2 * CNI_LINE_NUMBER * most(rows * f.columns, columns * f.rows);
    f.crew = (cni_fourier_crew){.threads = cni_fourier_workers(),
                                .work_bytes = cni_fourier_planes(f.columns, cni_fourier_lanes(f.columns)),
                                .kernels = cni_fourier_kernels_get()};
    return f;
}

/* What is beside the plan: while it is made, then the circle of a chirp. */
static int64_t beside_bytes(const cni_line *f)
{
    int64_t circle = f->size.inner != f->size.points ? cni_fourier_circle_bytes(2 * f->size.points) : 0;
    return (most(f->size.spare, circle) + 63) & ~INT64_C(63);
}

static bool go_to_line(cni_line *f, int64_t line)
{
    f->in_at = f->out_at = 0;
    for (int d = f->out.ndim - 1; d >= 0; d--) {
        if (d != f->axis) {
            f->in_at += line % f->out.shape[d] * f->in.strides[d];
            f->out_at += line % f->out.shape[d] * f->out.strides[d];
            line /= f->out.shape[d];
        }
    }
    return line == 0;
}

void cni_fourier_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    cni_line f = line_made(j);
    int64_t room = 0;
    for (int64_t line = 0; line < f.lines; line++) {
        go_to_line(&f, line);
        for (int place = 0; place < f.places; place++) {
            room = most(room, cni_line_room(&f, place) * CNI_LINE_NUMBER);
        }
    }
    bool chirp = f.size.inner != f.size.points;
    *asked = *heard = room;
    *scratch = f.size.bytes + beside_bytes(&f) + f.crew.threads * f.crew.work_bytes + (f.places + 1) * CNI_LINE_NUMBER +
               (chirp ? j->world->local * f.strip : 0) + 64;
}

cn_status cni_fourier_run(const cni_joint *j)
{
    cni_line f = line_made(j);
    cni_run run = {.window = j->window, .told = j->told};
    cni_shared_events events = {.wanted = j->window->ops[j->part->op].fp_kinds};
    char *memory = j->scratch, *beside = memory + f.size.bytes;
    f.job.f = cni_fourier_make_bare(f.n, f.job.kind != CNI_FOURIER_COMPLEX, memory, beside);
    f.plan = cni_fourier_inner(f.job.f->plan);
    f.job.scale = cni_library_scalar(j->part, 2, &run)->value.f64;
    if (f.size.inner != f.size.points) {
        cni_fourier_circle_make(2 * f.size.points, beside, &f.circle);
    }
    f.crew.work = beside + beside_bytes(&f);
    f.spectra = f.crew.work + f.crew.threads * f.crew.work_bytes + (f.places + 1) * CNI_LINE_NUMBER;
    f.crew.threads = cni_library_threads(f.columns, WORK * f.rows, f.crew.threads);
    f.crew.events = &events;
    for (int64_t line = 0; line < f.lines; line++) {
        go_to_line(&f, line);
        CN_TRY(transform(&f));
    }
    cni_shared_events_report(&events, &run, j->part->op);
    return CN_OK;
}
