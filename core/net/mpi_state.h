/*
 * mpi_state.h - what the module's sources share. It is compiled by the mpicc of the MPI that launched the program, not with
 * the library.
 *
 * All calls of MPI are made by who has it: the thread that executes, from cni_mpi_enter to cni_mpi_leave, or the thread
 * that carries on (mpi_progress.c), while the other computes. All state but the flags between the two is the haver's.
 */
#ifndef CNI_MPI_STATE_H
#define CNI_MPI_STATE_H

#include <mpi.h>
#include <stdbool.h>

#include "net/mpi_module.h"

enum { CNI_MPI_CHILDREN = 32 };

typedef enum cni_mpi_tag { CNI_MPI_LAST, CNI_MPI_MORE, CNI_MPI_MARK, CNI_MPI_DATA } cni_mpi_tag;

typedef struct cni_mpi {
    const cni_mpi_host *host;
    MPI_Comm log, data, all;
    unsigned spins; /* polls before a wait gives the core to others */
    int parent, nchildren, children[CNI_MPI_CHILDREN];
    MPI_Request marks[CNI_MPI_CHILDREN];
    MPI_Request *requests; /* of exchanges begun: pieces in their order */
    int *expected;         /* bytes of the piece that a request receives, -1: it sends */
    MPI_Status *statuses;
    int nrequests, capacity;
    bool large;    /* of them is one that MPI may not send by itself */
    bool finished; /* all are complete */
} cni_mpi;

extern cni_mpi cni_mpi_this;

/* ---- mpi_module.c ---- */

/* What MPI says; all ranks end if it is an error. what: "failed to" do it. */
void cni_mpi_must(int code, const char *what);

/* Ends all ranks with the message. */
void cni_mpi_stop(const char *message);

/* realloc; all ranks end if there is no memory. */
void *cni_mpi_resized(void *memory, size_t size);

/*
 * Bytes of the next piece of a message of which so many are left. MPI sends a message of up to SMALL bytes at once, and a
 * larger one only while both ends call it: so what is not very large goes in small pieces, and is there although its sender
 * computes.
 */
#ifdef OPEN_MPI
enum { CNI_MPI_SMALL = 3840, CNI_MPI_SMALL_PIECES = 16 };
#else
enum { CNI_MPI_SMALL = 15360, CNI_MPI_SMALL_PIECES = 4 };
#endif

static inline bool cni_mpi_at_once(int64_t nbytes)
{
    return nbytes <= CNI_MPI_SMALL * CNI_MPI_SMALL_PIECES;
}

static inline int cni_mpi_piece(int64_t nbytes, int64_t left)
{
    int64_t most = cni_mpi_this.host->message_most;
    most = cni_mpi_at_once(nbytes) && most > CNI_MPI_SMALL ? CNI_MPI_SMALL : most;
    return (int)(left < most ? left : most);
}

/* Are the requests of exchanges begun complete? */
bool cni_mpi_exchange_look(void);

/* ---- mpi_progress.c ---- */

/* After a poll without success: nothing at first, then others may run, then up to 0.1 ms or, for an idle rank, 1 ms. */
void cni_mpi_pause(unsigned turn, bool idle);

/* Waits until all are complete; the log goes on meanwhile. */
void cni_mpi_wait(int n, MPI_Request *requests, MPI_Status *statuses);
bool cni_mpi_test(int n, MPI_Request *requests, MPI_Status *statuses);

/* The thread that executes takes MPI, and gives it away. It must have it for every other call. */
void cni_mpi_enter(void);
void cni_mpi_leave(void);

/* Starts the other thread, which sees to messages that wait for MPI to be called; MPI must allow it. */
void cni_mpi_carry_on(void);
void cni_mpi_carry_stop(void);

/* Was it that thread that found the exchanges begun complete? */
bool cni_mpi_carried(void);

/* For who ends all ranks, whatever the other thread is about: has MPI, if that lets it go soon. */
void cni_mpi_seize(void);

/* ---- mpi_log.c ---- */

cn_status cni_mpi_log_send(const void *entry, int64_t nbytes);
cn_status cni_mpi_log_receive(const void **entry, int64_t *nbytes);

/* What can be done for the log without waiting: entries that have come are kept, and sent on. */
void cni_mpi_log_carry(void);

/* Is there, or may there come, something of the log that is others' concern? */
bool cni_mpi_log_pending(void);

/* Waits until all that this rank was to send on has been sent. */
void cni_mpi_log_finish(void);

#endif
