/*
 * mpi_log.c - the log, down a binomial tree: rank r has the parent r & (r - 1).
 *
 * An entry is one message, or several (cni_mpi_piece). It goes on to the children as soon as it has come, whatever this rank
 * is about, and waits here for its turn (KEPT of them at most):
 *
 *   first .. read .. taken | unread .. last        each with its sends to the children
 *
 * Before every MARK_EVERYth goes a mark whose send ends when it has been received, and before the next mark this one is
 * waited for. So nobody runs ahead of a child by more than two such distances and what the child keeps.
 */
#include <string.h>

#include "net/mpi_state.h"

enum { MARK_EVERY = 48, KEPT = 32 };
#define KEPT_BYTES ((int64_t)16 << 20)

typedef struct entry {
    struct entry *next;
    char *data;
    size_t capacity;
    int64_t nbytes;
    MPI_Request *sends;
    int nsends, room;
    bool read; /* nobody here needs it */
} entry;

static struct {
    uint64_t sent;         /* entries, to the children */
    entry *first, *last;   /* that are not read, or not sent */
    entry *taken;          /* the reader has it */
    entry *spare;          /* memory for others */
    entry *coming;         /* its pieces come */
    MPI_Request receiving; /* of the piece */
    int coming_tag;        /* of the piece */
    int unread;
    int64_t bytes;
} l = {.receiving = MPI_REQUEST_NULL};

/* ---- Entries ---- */

static entry *entry_take(void)
{
    entry *e = l.spare;
    if (e == NULL) {
        e = cni_mpi_resized(NULL, sizeof *e);
        *e = (entry){0};
    }
    l.spare = e->next;
    e->next = NULL;
    e->nbytes = e->nsends = 0;
    e->read = false;
    return e;
}

static void entry_room(entry *e, int64_t nbytes)
{
    if ((size_t)nbytes > e->capacity) {
        e->capacity = (size_t)nbytes > 2 * e->capacity ? (size_t)nbytes : 2 * e->capacity;
        e->data = cni_mpi_resized(e->data, e->capacity);
    }
}

/* Memory of what is read and sent is for others. */
static void reap(void)
{
    while (l.first != NULL && l.first->read) {
        entry *e = l.first;
        if (e->nsends > 0 && !cni_mpi_test(e->nsends, e->sends, MPI_STATUSES_IGNORE)) {
            return;
        }
        l.first = e->next;
        l.last = l.first == NULL ? NULL : l.last;
        l.bytes -= e->nbytes;
        e->next = l.spare;
        l.spare = e;
    }
}

static void append(entry *e)
{
    if (l.last != NULL) {
        l.last->next = e;
    } else {
        l.first = e;
    }
    l.last = e;
    l.bytes += e->nbytes;
}

/* ---- Sending ---- */

/* May the next entry go to the children, or would it be too far ahead of one? */
static bool may_send(void)
{
    const cni_mpi *m = &cni_mpi_this;
    return (l.sent + 1) % MARK_EVERY != 0 || cni_mpi_test(m->nchildren, cni_mpi_this.marks, MPI_STATUSES_IGNORE);
}

static void send_marks(void)
{
    cni_mpi *m = &cni_mpi_this;
    for (int i = 0; i < m->nchildren; i++) {
        cni_mpi_must(MPI_Issend(NULL, 0, MPI_BYTE, m->children[i], CNI_MPI_MARK, m->log, &m->marks[i]), "send the log");
    }
}

/* Only when it may. */
static void send_down(entry *e)
{
    const cni_mpi *m = &cni_mpi_this;
    const char *data = e->data;
    int64_t left = e->nbytes;
    if (++l.sent % MARK_EVERY == 0) {
        send_marks();
    }
    do {
        int size = cni_mpi_piece(e->nbytes, left), tag = size < left ? CNI_MPI_MORE : CNI_MPI_LAST;
        if (e->nsends + m->nchildren > e->room) {
            e->room = 2 * e->room + m->nchildren;
            e->sends = cni_mpi_resized(e->sends, (size_t)e->room * sizeof *e->sends);
        }
        for (int i = 0; i < m->nchildren; i++) {
            cni_mpi_must(MPI_Isend(data, size, MPI_BYTE, m->children[i], tag, m->log, &e->sends[e->nsends++]),
                         "send the log");
        }
        data += size;
        left -= size;
    } while (left > 0);
}

cn_status cni_mpi_log_send(const void *data, int64_t nbytes)
{
    cni_mpi_enter();
    for (unsigned turn = 0; !may_send() || l.bytes > KEPT_BYTES; turn++) {
        reap();
        cni_mpi_pause(turn, false);
    }
    entry *e = entry_take();
    entry_room(e, nbytes + 1);
    if (nbytes > 0) {
        memcpy(e->data, data, (size_t)nbytes);
    }
    e->nbytes = nbytes;
    e->read = true;
    append(e);
    send_down(e);
    reap();
    cni_mpi_leave();
    return CN_OK;
}

/* ---- Receiving ---- */

static bool may_receive(void)
{
    bool room = l.unread < KEPT && (l.bytes < KEPT_BYTES || l.unread == 0);
    return l.coming != NULL || (room && (cni_mpi_this.nchildren == 0 || may_send()));
}

/* What is on its way goes on although nothing is taken. */
static void let_travel(void)
{
    int found;
    cni_mpi_must(MPI_Iprobe(cni_mpi_this.parent, MPI_ANY_TAG, cni_mpi_this.log, &found, MPI_STATUS_IGNORE),
                 "look for the log");
}

/* The next message of the parent, if there is one, behind what the entry has; a mark is no part of it. */
static bool begin_piece(void)
{
    const cni_mpi *m = &cni_mpi_this;
    MPI_Message message;
    MPI_Status status;
    int found, size;
    cni_mpi_must(MPI_Improbe(m->parent, MPI_ANY_TAG, m->log, &found, &message, &status), "look for the log");
    if (!found) {
        return false;
    }
    l.coming_tag = status.MPI_TAG;
    if (l.coming_tag == CNI_MPI_MARK) {
        cni_mpi_must(MPI_Imrecv(NULL, 0, MPI_BYTE, &message, &l.receiving), "receive the log");
        return true;
    }
    cni_mpi_must(MPI_Get_count(&status, MPI_BYTE, &size), "measure the log");
    l.coming = l.coming != NULL ? l.coming : entry_take();
    entry_room(l.coming, l.coming->nbytes + size + 1);
    cni_mpi_must(MPI_Imrecv(l.coming->data + l.coming->nbytes, size, MPI_BYTE, &message, &l.receiving),
                 "receive the log");
    l.coming->nbytes += size;
    return true;
}

/* A message has come as a whole. */
static void end_piece(void)
{
    if (l.coming_tag != CNI_MPI_LAST) {
        return;
    }
    append(l.coming);
    l.unread++;
    if (cni_mpi_this.nchildren > 0) {
        send_down(l.coming);
    }
    l.coming = NULL;
}

void cni_mpi_log_carry(void)
{
    reap();
    while (cni_mpi_this.host->rank > 0) {
        if (l.receiving == MPI_REQUEST_NULL && !may_receive()) {
            let_travel();
            return;
        }
        if (l.receiving == MPI_REQUEST_NULL && !begin_piece()) {
            return;
        }
        if (!cni_mpi_test(1, &l.receiving, MPI_STATUSES_IGNORE)) {
            return;
        }
        end_piece();
    }
}

bool cni_mpi_log_pending(void)
{
    bool hands_on = cni_mpi_this.host->rank > 0 && cni_mpi_this.nchildren > 0;
    return hands_on || (l.first != NULL && l.first->read);
}

static void release(void)
{
    if (l.taken != NULL) {
        l.taken->read = true;
        l.taken = NULL;
    }
}

/* The first that has not been read; those before it wait for their sends. */
static entry *next_unread(void)
{
    entry *e = l.first;
    while (e->read) {
        e = e->next;
    }
    return e;
}

cn_status cni_mpi_log_receive(const void **data, int64_t *nbytes)
{
    if (cni_mpi_this.host->rank == 0) {
        return cni_mpi_this.host->fail(CN_ERROR_INTERNAL, "rank 0 has no log to receive");
    }
    cni_mpi_enter();
    release();
    cni_mpi_log_carry();
    for (unsigned turn = 0; l.unread == 0; turn++) {
        cni_mpi_pause(turn, true);
        cni_mpi_log_carry();
    }
    l.unread--;
    l.taken = next_unread();
    *data = l.taken->data;
    *nbytes = l.taken->nbytes;
    cni_mpi_leave();
    return CN_OK;
}

/* ---- The end ---- */

void cni_mpi_log_finish(void)
{
    release();
    for (unsigned turn = 0; l.first != NULL; turn++) {
        reap();
        cni_mpi_pause(turn, false);
    }
    cni_mpi_wait(cni_mpi_this.nchildren, cni_mpi_this.marks, MPI_STATUSES_IGNORE);
    while (l.spare != NULL) {
        entry *e = l.spare;
        l.spare = e->next;
        cni_mpi_this.host->release(e->data);
        cni_mpi_this.host->release(e->sends);
        cni_mpi_this.host->release(e);
    }
}
