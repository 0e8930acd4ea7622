/*
 * interpolate.c - numpy.interp of few values, as NumPy computes it: element by element, with its slopes and what it does
 * about NaN. What is pending runs first, as it would be read to see whether it is finite.
 */
#include <math.h>

#include "base/status.h"
#include "op/op.h"
#include "record/at_once.h"
#include "record/record.h"

enum { MOST_POINTS = 1 << 14, MOST = 1024 }; /* more values are worth a plan */

typedef struct curve {
    const double *x, *y;
    int64_t n;
    double left, right;
} curve;

/* The last point that is not behind the value; -1: none. */
static int64_t place_of(const curve *c, double value)
{
    int64_t low = 0, high = c->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (c->x[middle] <= value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

static double between(const curve *c, int64_t k, double value)
{
    double slope = (c->y[k + 1] - c->y[k]) / (c->x[k + 1] - c->x[k]), made = slope * (value - c->x[k]) + c->y[k];
    if (isnan(made)) {
        made = slope * (value - c->x[k + 1]) + c->y[k + 1];
        if (isnan(made) && c->y[k] == c->y[k + 1]) {
            made = c->y[k];
        }
    }
    return made;
}

static double value_at(const curve *c, double value)
{
    int64_t last = c->n - 1;
    if (isnan(value)) {
        return last == 0 ? c->y[0] : value;
    }
    if (value < c->x[0]) {
        return c->left;
    }
    if (value > c->x[last]) {
        return c->right;
    }
    int64_t k = place_of(c, value);
    return k == last || c->x[k] == value ? c->y[k] : between(c, k, value);
}

static bool is_few(const cn_array *a, int64_t most)
{
    return a->dtype == CN_FLOAT64 && a->c_contiguous && a->size <= most;
}

/* The values, once they have been computed; NULL: they are not on the host alone. */
static cn_status read_values(const cn_array *a, const double **out)
{
    CN_TRY(cni_base_flush(a->base));
    CN_TRY(cni_base_materialise(a->base));
    bool here = cni_is_at_hand(a->base);
    *out = here ? (const double *)(const void *)((const char *)a->base->buffer->data + a->offset) : NULL;
    return CN_OK;
}

/* NaN among the points: nothing is in order. */
static bool in_order(const curve *c)
{
    bool good = c->n > 0;
    for (int64_t i = 0; i < c->n; i++) {
        good &= !isnan(c->x[i]);
    }
    return good;
}

cn_status cn_interpolate(const cn_array *at, const cn_array *x, const cn_array *y, const double *left,
                         const double *right, cn_array **out)
{
    const double *values;
    curve c = {.n = x->size};
    cn_array *made;
    *out = NULL;
    if (!is_few(at, MOST) || !is_few(x, MOST_POINTS) || !is_few(y, MOST_POINTS) || y->size != c.n) {
        return CN_OK;
    }
    CN_TRY(read_values(at, &values));
    CN_TRY(read_values(x, &c.x));
    CN_TRY(read_values(y, &c.y));
    if (values == NULL || c.x == NULL || c.y == NULL || !in_order(&c)) {
        return CN_OK;
    }
    c.left = left != NULL ? *left : c.y[0];
    c.right = right != NULL ? *right : c.y[c.n - 1];
    CN_TRY(cn_array_empty(CN_FLOAT64, at->ndim, cni_shape(at), &made));
    cn_status status = cni_base_materialise(made->base);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    double *to = (double *)made->base->buffer->data;
    for (int64_t i = 0; i < at->size; i++) {
        to[i] = value_at(&c, values[i]);
    }
    *out = made;
    return CN_OK;
}
