/*
 * shards.c - arrays to files and from files: every process writes, or reads, the bytes of its places where they belong in
 * the file, and nothing is gathered.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "exec/spread.h"
#include "exec/spread_memory.h"
#include "record/record.h"

enum { PIECE = 1 << 30 };

/* ---- One process ---- */

/* All bytes between memory and the open file; false with errno set, 0 if the file ends early. */
static bool transfer(int file, char *memory, int64_t nbytes, int64_t offset, bool write)
{
    while (nbytes > 0) {
        size_t size = nbytes < PIECE ? (size_t)nbytes : PIECE;
        ssize_t done = write ? pwrite(file, memory, size, offset) : pread(file, memory, size, offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? 0 : errno;
            return false;
        }
        memory += done;
        nbytes -= done;
        offset += done;
    }
    return true;
}

/* What the place has of bytes [low, high). */
static bool place_part(const cni_file *f, int place, char *memory, int file)
{
    int64_t begin = cni_layout_begin(&f->buffer->spread->layout, place);
    int64_t end = cni_layout_begin(&f->buffer->spread->layout, place + 1);
    begin = begin > f->low ? begin : f->low;
    end = end < f->high ? end : f->high;
    return begin >= end || transfer(file, memory + begin, end - begin, f->offset + begin - f->low, f->write);
}

static bool all_parts(const cni_file *f, int file)
{
    const cni_world *world = cni_world_get();
    if ((f->buffer->valid & CNI_ON_PLACES) == 0) {
        return transfer(file, (char *)f->buffer->data + f->low, f->high - f->low, f->offset, f->write);
    }
    for (int k = 0; k < world->local; k++) {
        if (!place_part(f, world->first + k, *cni_spread_memory(f->buffer, k), file)) {
            return false;
        }
    }
    return true;
}

static cn_status failure(const cni_file *f)
{
    return cni_fail(CN_ERROR_FILE, "cannot %s '%s': %s", f->write ? "write" : "read", f->path,
                    errno != 0 ? strerror(errno) : "the file is too short");
}

cn_status cni_file_part(const cni_file *f)
{
    bool places = (f->buffer->valid & CNI_ON_PLACES) != 0;
    for (int k = 0; k < cni_world_get()->local && places; k++) {
        CN_TRY(cni_place_show(f->buffer, k, 0, f->buffer->nbytes));
    }
    int file = open(f->path, (f->write ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    if (file < 0) {
        return failure(f);
    }
    cn_status status = all_parts(f, file) ? CN_OK : failure(f);
    if (close(file) != 0 && status == CN_OK && f->write) { /* some file systems tell of a full disk here */
        status = failure(f);
    }
    for (int k = 0; k < cni_world_get()->local && places && !f->write; k++) {
        f->buffer->valid = CNI_ON_PLACES;
        f->buffer->spread->at[k].valid = CNI_ON_HOST;
    }
    return status;
}

/* ---- All of them ---- */

static cn_status everywhere(const cni_file *f)
{
    bool others = cni_world_get()->net->size > 1 && (f->buffer->valid & CNI_ON_PLACES) != 0;
    CN_TRY(others ? cni_log_file(f) : CN_OK);
    cn_status mine = cni_file_part(f);
    cn_status status = others ? cni_spread_agree(mine) : mine;
    if (mine == CN_OK && status == CN_ERROR_FILE) {
        return cni_fail(CN_ERROR_FILE, "another process cannot %s '%s'", f->write ? "write" : "read", f->path);
    }
    return status;
}

static cn_status whole(cn_array *array, const char *path, int64_t offset, bool write)
{
    cni_base *base = array->base;
    if (!array->c_contiguous && !array->f_contiguous) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "the array's elements do not follow each other in memory");
    }
    CN_TRY(cni_base_flush(base));
    CN_TRY(cni_base_materialise(base));
    cni_buffer *b = base->buffer;
    if (!write && (b->refs > 1 || cni_base_shared(base))) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "the array's memory is not its own");
    }
    if ((b->valid & CNI_ON_PLACES) == 0) {
        CN_TRY(cni_buffer_to_host(b, !write));
    }
    int64_t nbytes = array->size * (int64_t)cn_dtype_size((cn_dtype)array->dtype);
    cni_file f = {.buffer = b, .low = array->offset, .high = array->offset + nbytes, .offset = offset, .write = write};
    f.path = path;
    return nbytes > 0 ? everywhere(&f) : CN_OK;
}

cn_status cn_array_to_file(cn_array *array, const char *path, int64_t offset)
{
    return whole(array, path, offset, true);
}

cn_status cn_array_from_file(cn_array *array, const char *path, int64_t offset)
{
    return whole(array, path, offset, false);
}
