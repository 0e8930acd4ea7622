/*
 * joint_line.h - a long line that places have pieces of, while it is transformed (joint_fourier.c): who has which of its
 * numbers, two a point, and what moves.
 *
 *   elements in memory     spans       strip, R / P wide     strip, C / P wide      spans      elements
 *   0 . . . . . . . . n    [ . . . )   C rows: columns   ->  R rows: rows           [ . . . )  0 . . . . n
 *                               exchange             exchange               exchange
 *
 * They lie in `asked` of the moves: a place's spans of the line one behind the other, a pair between, or some columns of all
 * rows of a matrix, which is what one place makes of the whole line. What moves between two places follows from these, so
 * nobody asks. A place has about its part of the line, twice; of real ones each half of a spectrum comes with its mirror image.
 */
#ifndef CNI_JOINT_LINE_H
#define CNI_JOINT_LINE_H

#include "cpu/fourier.h"
#include "exec/joint.h"

enum { CNI_LINE_SPANS = 4, CNI_LINE_NUMBER = sizeof(double) };

typedef struct cni_line_span {
    int64_t begin, end;
} cni_line_span;

/* What a place has of a line's numbers: of some spans, columns [low, high) of rows of so many. */
typedef struct cni_line_side {
    int n;
    cni_line_span at[CNI_LINE_SPANS];
    int64_t base[CNI_LINE_SPANS]; /* where they are in memory, from the first whole pair on */
    int64_t wide, low, high;
} cni_line_side;

/* A transform of lines; which is at hand. */
typedef struct cni_line {
    const cni_joint *j;
    cni_fourier_job job;
    cni_geometry out, in;
    int axis, places;
    int64_t n, lines;
    bool even; /* real, and pairs of it are points */
    cni_fourier_size size;
    int64_t rows, columns;        /* of the matrix */
    int64_t needs;                /* elements of a whole line */
    int64_t in_at, out_at;        /* of the line at hand */
    const cni_fourier_plan *plan; /* that is split */
    cni_fourier_circle circle;    /* of a chirp */
    char *spectra;                /* strips of the places, likewise */
    int64_t strip;                /* bytes of the longest */
    cni_fourier_crew crew;
} cni_line;

static inline int64_t cni_line_cut(int64_t n, int place, int places)
{
    return (int64_t)((__int128)n * place / places);
}

static inline double *cni_line_numbers(char *memory)
{
    return (double *)(void *)memory;
}

/* Elements of the result that a place owns; points of a half spectrum that they come of, as they are and conjugate. */
cni_line_span cni_line_owned(const cni_line *f, int place);
void cni_line_halves(const cni_line *f, int place, cni_line_span *direct, cni_line_span *conjugate);

/* ---- Sides, by place ---- */

typedef void (*cni_line_side_of)(const cni_line *f, int place, cni_line_side *out);

/* Points that what it owns is, or makes. A real line of an even number is pairs, which may be cut. */
void cni_line_in(const cni_line *f, int place, cni_line_side *s);

/* Points shared out evenly; of a half spectrum that is to be pairs also the mirror image. */
void cni_line_even(const cni_line *f, int place, cni_line_side *s);

/* What is transformed of that. */
void cni_line_points(const cni_line *f, int place, cni_line_side *s);

/* Points of a convolution, likewise. */
void cni_line_inner(const cni_line *f, int place, cni_line_side *s);

/* Strips. */
void cni_line_columns(const cni_line *f, int place, cni_line_side *s);
void cni_line_rows(const cni_line *f, int place, cni_line_side *s);

/* Points that a place's results come of: spans, each with its mirror image if two real numbers were a point. */
void cni_line_out(const cni_line *f, int place, cni_line_side *s);

/* Numbers of what a place has at a time, or sends. */
int64_t cni_line_room(const cni_line *f, int place);

/* ---- Exchanges: collective ---- */

/* In `asked` from one side to the other; clear: not all that the other is to have is there, and is 0 then. */
cn_status cni_line_exchange(const cni_line *f, cni_line_side_of from, cni_line_side_of to, bool clear);

/* Columns' strips in `asked` to rows' in `heard`: what goes to a place lies together, and comes in blocks. */
cn_status cni_line_exchange_rows(const cni_line *f);

#endif
