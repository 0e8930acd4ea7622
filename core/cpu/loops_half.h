/*
 * loops_half.h - included by loops_body.h between the loops of float32 and those of float16, which are made of them: a
 * run of halves becomes floats, the loop of floats runs, and its results are rounded. Compilers make no vectors of the
 * conversions.
 */
enum { HALVES = 512 };

static void halves_widen(int64_t n, const cni_f16 *x, float *out)
{
    int64_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(x + i))));
    }
#endif
    for (; i < n; i++) {
        out[i] = half_to_float(x[i]);
    }
}

static void halves_narrow(int64_t n, const float *x, cni_f16 *out)
{
    int64_t i = 0;
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) {
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), 0));
    }
#endif
    for (; i < n; i++) {
        out[i] = float_to_half(x[i]);
    }
}

/* truths: the results are bytes. */
static void by_floats(int64_t n, void *const *p, unsigned scalars, cni_loop loop, int nin, int nout, bool truths)
{
    float in[CNI_MAX_NIN][HALVES], out[CNI_MAX_NOUT][HALVES];
    void *q[CNI_MAX_NOUT + CNI_MAX_NIN];
    for (int64_t done = 0; done < n; done += HALVES) {
        int64_t some = n - done < HALVES ? n - done : HALVES;
        for (int k = 0; k < nin; k++) {
            const cni_f16 *x = p[nout + k];
            bool still = (scalars >> k & 1) != 0;
            halves_widen(still ? 1 : some, still ? x : x + done, in[k]);
            q[nout + k] = in[k];
        }
        for (int k = 0; k < nout; k++) {
            q[k] = truths ? (void *)((uint8_t *)p[k] + done) : out[k];
        }
        loop(some, q, scalars);
        for (int k = 0; k < nout && !truths; k++) {
            halves_narrow(some, out[k], (cni_f16 *)p[k] + done);
        }
    }
}

/* Powers are whole numbers of `size` bytes. */
static void halves_ldexp(int64_t n, void *const *p, cni_loop loop, int64_t size)
{
    float x[HALVES];
    for (int64_t done = 0; done < n; done += HALVES) {
        int64_t some = n - done < HALVES ? n - done : HALVES;
        void *q[] = {x, x, (char *)p[2] + done * size};
        halves_widen(some, (const cni_f16 *)p[1] + done, x);
        loop(some, q, 0);
        halves_narrow(some, x, (cni_f16 *)p[0] + done);
    }
}

static void halves_frexp(int64_t n, void *const *p, cni_loop loop)
{
    float x[HALVES];
    for (int64_t done = 0; done < n; done += HALVES) {
        int64_t some = n - done < HALVES ? n - done : HALVES;
        void *q[] = {x, (int32_t *)p[1] + done, x};
        halves_widen(some, (const cni_f16 *)p[2] + done, x);
        loop(some, q, 0);
        halves_narrow(some, x, (cni_f16 *)p[0] + done);
    }
}
