/*
 * fourier_long.h - pieces of one long line, pairs of numbers in memory; included by fourier_body.h.
 *
 * The line of n1 n2 points is a matrix of n1 rows: its columns are transformed, turned by w^(row column), then its rows;
 * element j of row k is point k + n1 j.
 */

/* Row k of columns [begin, begin + lanes), turned by w^(k column). */
static void turn_row(const cni_fourier_roots *r, int64_t begin, int64_t k, int64_t lanes, double *restrict re,
                     double *restrict im)
{
    const double *restrict low = r->low, *restrict low_sines = r->low + r->low_room, *restrict high = r->high,
                           *restrict high_sines = r->high + r->high_room;
    int64_t mask = (INT64_C(1) << r->shift) - 1, first = begin * k, shift = r->shift;
    for (int64_t l = 0; l < lanes; l++) {
        int64_t i = (first + l * k) & mask, j = (first + l * k) >> shift;
        double c = low[i] * high[j] - low_sines[i] * high_sines[j], s = low[i] * high_sines[j] + low_sines[i] * high[j];
        double x = re[l] * c - im[l] * s, y = re[l] * s + im[l] * c;
        re[l] = x, im[l] = y;
    }
}

/* Columns [begin, end) to the same place of another matrix, which may be this one. */
static void columns(const cni_fourier_piece *piece)
{
    const cni_fourier_plan *plan = piece->plan;
    int64_t rows = plan->columns->n, lanes = piece->end - piece->begin, at = piece->begin - piece->first;
    const double *from = (const double *)piece->from + 2 * at;
    double *to = (double *)piece->to + 2 * at;
    planes a, b;
    planes_of(rows, lanes, piece->work, &a, &b);
    for (int64_t k = 0; k < rows; k++) {
        double *re = a.re + k * lanes, *im = a.im + k * lanes;
        load_pairs_f64(from + 2 * k * piece->count, lanes, piece->swap ? im : re, piece->swap ? re : im);
    }
    planes z = run(plan->columns, lanes, a, b) ? b : a;
    for (int64_t k = 0; k < rows; k++) {
        double *re = z.re + k * lanes, *im = z.im + k * lanes;
        if (k > 0) {
            turn_row(&plan->roots, piece->begin, k, lanes, re, im);
        }
        store_pairs_f64(to + 2 * k * piece->count, lanes, re, im, 1);
    }
}

static void rows(const cni_fourier_piece *piece)
{
    const cni_fourier_plan *plan = piece->plan;
    int64_t columns = plan->rows->n, lanes = piece->end - piece->begin, at = piece->begin - piece->first;
    double *to = (double *)piece->to + 2 * at;
    planes a, b;
    planes_of(columns, lanes, piece->work, &a, &b);
    for (int block = 0; block < piece->blocks; block++) {
        int64_t first = piece->cuts[block], wide = piece->cuts[block + 1] - first;
        const double *from = (const double *)piece->from + 2 * (piece->count * first + at * wide);
        load_turned(from, 2 * wide, wide, lanes, a.re + first * lanes, a.im + first * lanes);
    }
    planes z = run(plan->rows, lanes, a, b) ? b : a;
    for (int64_t j = 0; j < columns; j++) {
        const double *re = z.re + j * lanes, *im = z.im + j * lanes;
        bool swap = piece->swap_out;
        store_pairs_f64(to + 2 * piece->count * j, lanes, swap ? im : re, swap ? re : im, piece->scale);
    }
}

/* ---- Bluestein: pairs times a table; what is not there is 0 ---- */

static void times_pairs(const cni_fourier_piece *piece)
{
    int64_t entries = piece->entries;
    const double *restrict c = piece->table, *restrict s = c + entries + CNI_FOURIER_PAD, *from = piece->from;
    double *to = piece->to, scale = piece->scale;
    int re = piece->swap ? 1 : 0, im = 1 - re, to_re = piece->swap_out ? 1 : 0, to_im = 1 - to_re;
    for (int64_t i = piece->begin; i < piece->end; i++) {
        double r = i < entries ? from[2 * i + re] * c[i] - from[2 * i + im] * s[i] : 0;
        double j = i < entries ? from[2 * i + re] * s[i] + from[2 * i + im] * c[i] : 0;
        to[2 * i + to_re] = scale * r, to[2 * i + to_im] = scale * j;
    }
}

/* ---- Halves of a spectrum ---- */

INLINE void turn_pairs(bool back, const cni_fourier *f, double *low, double *high, int64_t begin, int64_t end,
                       double sign)
{
    int64_t h = f->n / 2;
    for (int64_t k = begin < 1 ? 1 : begin; k < end && 2 * k < h; k++) {
        double *a = low + 2 * k, *b = high + 2 * (h - k), c, s;
        root(&f->halves, k, &c, &s);
        double in = back ? sign : 1, out = back ? 1 : sign;
        pair p = {splat(a[0]), splat(in * a[1]), splat(b[0]), splat(in * b[1])};
        p = turn(back, p, splat(c), splat(s));
        a[0] = p.ar[0], a[1] = out * p.ai[0];
        b[0] = p.br[0], b[1] = out * p.bi[0];
    }
}

/* Is the point in the middle, its own partner, among them? */
INLINE bool has_middle(int64_t h, int64_t begin, int64_t end)
{
    return h % 2 == 0 && begin <= h / 2 && h / 2 < end;
}

static void halve_pairs(const cni_fourier *f, double *low, double *high, int64_t begin, int64_t end, bool conjugate)
{
    int64_t h = f->n / 2;
    double sign = conjugate ? -1 : 1;
    turn_pairs(false, f, low, high, begin, end, sign);
    if (begin == 0) {
        double r = low[0], i = low[1];
        low[0] = r + i, low[1] = sign * 0;
        high[2 * h] = r - i, high[2 * h + 1] = sign * 0;
    }
    if (has_middle(h, begin, end)) {
        low[h + 1] *= -sign;
    }
}

static void unhalve_pairs(const cni_fourier *f, double *low, double *high, int64_t begin, int64_t end, bool conjugate)
{
    int64_t h = f->n / 2;
    double sign = conjugate ? -1 : 1;
    turn_pairs(true, f, low, high, begin, end, sign);
    if (begin == 0) {
        double r = low[0], i = high[2 * h];
        low[0] = r + i, low[1] = r - i;
    }
    if (has_middle(h, begin, end)) {
        low[h] *= 2, low[h + 1] *= -2 * sign;
    }
}
