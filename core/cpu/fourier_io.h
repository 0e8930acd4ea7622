/*
 * fourier_io.h - elements of lines in memory to planes or pairs, and back; included by fourier_body.h for E the type of
 * their numbers, F() its names.
 */
#define AT(pointer, i, stride) ((const E *)(const void *)((pointer) + (i) * (stride)))
#define TO(pointer, i, stride) ((E *)(void *)((pointer) + (i) * (stride)))

/* ---- Into planes ---- */

static void F(load_complex)(const some *x, int64_t count, planes to)
{
    int64_t stride = x->job->in_stride, lanes = x->lanes;
    const char *const *in = x->at->in;
    if (lanes == 1 && stride == 2 * sizeof(E)) {
        F(load_pairs)(AT(in[0], 0, 0), count, to.re, to.im);
    } else if (x->at->in_apart == x->job->in_size) {
        for (int64_t i = 0; i < count; i++) {
            F(load_pairs)(AT(in[0], i, stride), lanes, to.re + i * lanes, to.im + i * lanes);
        }
    } else {
        for (int64_t l = 0; l < lanes; l++) {
            for (int64_t i = 0; i < count; i++) {
                const E *from = AT(in[l], i, stride);
                to.re[i * lanes + l] = from[0], to.im[i * lanes + l] = from[1];
            }
        }
    }
}

/* Numbers first, first + step, ... of each line, to a plane. */
static void F(load_real)(const some *x, int64_t count, int64_t first, int64_t step, double *restrict to)
{
    int64_t stride = step * x->job->in_stride, lanes = x->lanes;
    for (int64_t i = 0; i < count && x->at->in_apart == x->job->in_size; i++) {
        const E *restrict from = AT(x->at->in[0] + first * x->job->in_stride, i, stride);
        for (int64_t l = 0; l < lanes; l++) {
            to[i * lanes + l] = from[l];
        }
    }
    for (int64_t l = 0; l < lanes && x->at->in_apart != x->job->in_size; l++) {
        const char *in = x->at->in[l] + first * x->job->in_stride;
        for (int64_t i = 0; i < count; i++) {
            to[i * lanes + l] = *AT(in, i, stride);
        }
    }
}

/* ---- Out of planes ---- */

/* Elements [0, count) of the planes to elements first, first + step ... of the lines. */
static void F(store_complex)(const some *x, planes z, int64_t count, int64_t first, int64_t step)
{
    int64_t stride = step * x->job->out_stride, lanes = x->lanes, begin = first * x->job->out_stride;
    char *const *out = x->at->out;
    double scale = x->job->scale;
    if (lanes == 1 && stride == 2 * sizeof(E)) {
        F(store_pairs)(TO(out[0], begin, 1), count, z.re, z.im, scale);
    } else if (x->at->out_apart == x->job->out_size) {
        for (int64_t i = 0; i < count; i++) {
            F(store_pairs)(TO(out[0] + begin, i, stride), lanes, z.re + i * lanes, z.im + i * lanes, scale);
        }
    } else {
        for (int64_t l = 0; l < lanes; l++) {
            for (int64_t i = 0; i < count; i++) {
                E *to = TO(out[l] + begin, i, stride);
                to[0] = (E)(scale * z.re[i * lanes + l]), to[1] = (E)(scale * z.im[i * lanes + l]);
            }
        }
    }
}

static void F(store_real)(const some *x, const double *restrict from, int64_t count, int64_t first, int64_t step)
{
    int64_t stride = step * x->job->out_stride, lanes = x->lanes, begin = first * x->job->out_stride;
    double scale = x->job->scale;
    for (int64_t i = 0; i < count && x->at->out_apart == x->job->out_size; i++) {
        E *restrict to = TO(x->at->out[0] + begin, i, stride);
        for (int64_t l = 0; l < lanes; l++) {
            to[l] = (E)(scale * from[i * lanes + l]);
        }
    }
    for (int64_t l = 0; l < lanes && x->at->out_apart != x->job->out_size; l++) {
        for (int64_t i = 0; i < count; i++) {
            *TO(x->at->out[l] + begin, i, stride) = (E)(scale * from[i * lanes + l]);
        }
    }
}

/* ---- Between lines in memory and pairs ---- */

static void F(pack)(const cni_fourier_job *job, const char *line, void *pairs, int64_t begin, int64_t end)
{
    double *to = pairs;
    int64_t n = job->f->n, stride = job->in_stride, have = job->have;
    bool spectrum = job->kind == CNI_FOURIER_REAL, even = job->f->real && n % 2 == 0;
    for (int64_t i = begin; i < end; i++) {
        double re = 0, im = 0;
        if (job->kind == CNI_FOURIER_COMPLEX || (spectrum && even)) {
            const E *from = AT(line, i, stride);
            re = i < have ? from[0] : 0, im = i < have ? from[1] : 0;
        } else if (spectrum) {
            int64_t k = 2 * i < n ? i : n - i;
            const E *from = AT(line, k, stride);
            re = k < have ? from[0] : 0, im = k < have && k > 0 ? from[1] : 0;
            im = (k != i) == job->backward ? -im : im;
        } else if (even) {
            re = 2 * i < have ? *AT(line, 2 * i, stride) : 0;
            im = 2 * i + 1 < have ? *AT(line, 2 * i + 1, stride) : 0;
        } else {
            re = i < have ? *AT(line, i, stride) : 0;
        }
        to[2 * i] = re, to[2 * i + 1] = im;
    }
}

static void F(unpack)(const cni_fourier_job *job, const void *pairs, char *line, int64_t begin, int64_t end)
{
    const double *from = pairs;
    int64_t n = job->f->n, stride = job->out_stride;
    bool even = job->f->real && n % 2 == 0;
    for (int64_t i = begin; i < end; i++) {
        if (job->kind == CNI_FOURIER_REAL && even) {
            *TO(line, 2 * i, stride) = (E)from[2 * i];
            *TO(line, 2 * i + 1, stride) = (E)from[2 * i + 1];
        } else if (job->kind == CNI_FOURIER_REAL) {
            *TO(line, i, stride) = (E)from[2 * i];
        } else {
            int64_t k = job->kind == CNI_FOURIER_WHOLE && 2 * i > n ? n - i : i;
            bool conjugate = (k != i) != (job->backward && !even && job->kind != CNI_FOURIER_COMPLEX);
            double im = k == 0 && job->f->real && !even ? 0 : from[2 * k + 1];
            E *to = TO(line, i, stride);
            to[0] = (E)from[2 * k], to[1] = (E)(conjugate ? -im : im);
        }
    }
}

#undef AT
#undef TO
