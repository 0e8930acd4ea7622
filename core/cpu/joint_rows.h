/* joint_rows.h - rows by index that places have: what processors (joint_rows.c) and devices (joint_rows_there.c) share. */
#ifndef CNI_JOINT_ROWS_H
#define CNI_JOINT_ROWS_H

#include "cpu/joint_ops.h"

/* Operands: the array that is spread, the indices, and the rows that places have. */
typedef struct cni_rows {
    const cni_joint *j;
    uint32_t array, index, own;
    cni_geometry array_g, index_g, own_g;
    int64_t piece, pieces; /* elements that no place cuts, and how many of them a row has */
    int64_t row, moved;    /* bytes of a piece in the array, and as it is sent */
    int64_t step, count;   /* from piece to piece of the array, and how many it has */
    int64_t item;          /* bytes that an asked piece needs beside itself */
    int64_t round, rounds; /* pieces of a round */
    int64_t total;         /* of all shares */
    bool puts, orders;     /* puts come in another order than the program's */
    bool applies;          /* puts of which none may overtake another */
} cni_rows;

cni_rows cni_rows_of(const cni_joint *joint);

/* Pieces of the share; of a round the pieces [*first, *first + result). */
int64_t cni_rows_of_share(const cni_rows *rows, const cni_share *share);
int64_t cni_rows_of_round(const cni_rows *rows, const cni_share *share, int64_t round, int64_t *first);

/* The first of the array's pieces that begin at or behind the place's first byte. */
int64_t cni_rows_owned_from(const cni_rows *rows, int place);

/* Where rows begin behind their numbers, in what is heard. */
int64_t cni_rows_heard_at(const cni_rows *rows);

/* The share's first piece, if its pieces follow each other in program order; negative: they do not. */
int64_t cni_rows_first(const cni_rows *rows, const cni_share *share);

/* What devices do. */
cn_status cni_rows_gather_there(const cni_rows *rows);
cn_status cni_rows_scatter_there(const cni_rows *rows);

#endif
