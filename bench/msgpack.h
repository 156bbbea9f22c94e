/* MessagePack: writing the few commands that the generator sends, and finding a value in what it receives (of which
 * extension types are no part). */
#ifndef MSGPACK_H
#define MSGPACK_H

#include <stdint.h>
#include <string.h>

/* Writing: `struct packer` grows through a buffer that its owner made large enough. */

struct packer {
    uint8_t *data;
    size_t length;
};

static inline void pack_byte(struct packer *out, uint8_t byte) { out->data[out->length++] = byte; }

static inline void pack_map(struct packer *out, unsigned entries)
{
    if (entries < 16) {
        pack_byte(out, 0x80 | entries);
        return;
    }
    pack_byte(out, 0xde);
    pack_byte(out, entries >> 8);
    pack_byte(out, entries & 0xff);
}

static inline void pack_array(struct packer *out, unsigned items) { pack_byte(out, 0x90 | items); }   /* up to 15 */

static inline void pack_nil(struct packer *out) { pack_byte(out, 0xc0); }

static inline void pack_uint(struct packer *out, uint64_t value)
{
    pack_byte(out, 0xcf);
    for (int shift = 56; shift >= 0; shift -= 8)
        pack_byte(out, value >> shift & 0xff);
}

static inline void pack_bytes(struct packer *out, const char *text, size_t length)
{
    pack_byte(out, 0xda);
    pack_byte(out, length >> 8);
    pack_byte(out, length & 0xff);
    memcpy(out->data + out->length, text, length);
    out->length += length;
}

static inline void pack_str(struct packer *out, const char *text) { pack_bytes(out, text, strlen(text)); }

/* Reading: values are never built, only walked over. A pointer of NULL means "not there" or "cut off". */

struct value {
    const uint8_t *data;   /* the value's first byte, its type */
    const uint8_t *end;    /* of everything that was received */
};

static inline uint64_t big_endian(const uint8_t *data, int bytes)
{
    uint64_t number = 0;
    while (bytes--)
        number = number << 8 | *data++;
    return number;
}

/* Bytes after the type byte that hold a length or a number, by type byte 0xc0 … 0xdf. */
static const int8_t msgpack_sizes[32] = {
    0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
};

/* Number of entries if `head` begins a map or an array (`*each` values an entry), or -1; `*skip` is the header's size. */
static inline int64_t container(const uint8_t *head, int *each, int *skip)
{
    *skip = 1;
    *each = *head <= 0x8f || *head >= 0xde ? 2 : 1;
    if (*head >= 0x80 && *head <= 0x9f)
        return *head & 0x0f;
    if (*head >= 0xdc && *head <= 0xdf) {
        int size = msgpack_sizes[*head - 0xc0];
        *skip = 1 + size;
        return big_endian(head + 1, size);
    }
    return -1;
}

/* The first byte behind the value at `at`, NULL if it is cut off. */
static inline const uint8_t *skip_value(const uint8_t *at, const uint8_t *end)
{
    for (uint64_t left = 1; left; left--) {
        if (!at || at >= end)
            return NULL;
        uint8_t head = *at;
        int each, skip;
        int64_t entries = container(at, &each, &skip);
        if (entries >= 0) {
            at += skip;
            left += entries * each;
        } else if (head <= 0x7f || head >= 0xe0) {
            at += 1;
        } else if (head <= 0xbf) {
            at += 1 + (head & 0x1f);
        } else {
            int size = msgpack_sizes[head - 0xc0];
            int text = (head >= 0xc4 && head <= 0xc6) || (head >= 0xd9 && head <= 0xdb);
            at += 1 + size + (text ? big_endian(at + 1, size) : 0);
        }
    }
    return at <= end ? at : NULL;
}

/* A string's bytes, NULL if `value` is none. */
static inline const char *as_string(struct value value, size_t *length)
{
    if (!value.data)
        return NULL;
    uint8_t head = *value.data;
    if (head >= 0xa0 && head <= 0xbf) {
        *length = head & 0x1f;
        return (const char *)value.data + 1;
    }
    if (head < 0xd9 || head > 0xdb)
        return NULL;
    int size = msgpack_sizes[head - 0xc0];
    *length = big_endian(value.data + 1, size);
    return (const char *)value.data + 1 + size;
}

static inline int is_string(struct value value, const char *expected)
{
    size_t length = 0;
    const char *text = as_string(value, &length);
    return text && length == strlen(expected) && !memcmp(text, expected, length);
}

/* An unsigned number, 0 if `value` is none. */
static inline uint64_t as_uint(struct value value)
{
    if (!value.data)
        return 0;
    if (*value.data <= 0x7f)
        return *value.data;
    return *value.data >= 0xcc && *value.data <= 0xcf ? big_endian(value.data + 1, msgpack_sizes[*value.data - 0xc0]) : 0;
}

static inline int is_true(struct value value) { return value.data && *value.data == 0xc3; }

/* Entries of a map, one after the other: `struct value key, value; for (it = entries(map); next_entry(&it, &key, &value);)` */

struct entries {
    struct value next;
    int64_t left;
};

static inline struct entries entries(struct value map)
{
    int each, skip;
    int64_t count = map.data ? container(map.data, &each, &skip) : -1;
    if (count < 0 || each != 2)
        return (struct entries){{NULL, NULL}, 0};
    return (struct entries){{map.data + skip, map.end}, count};
}

static inline int next_entry(struct entries *it, struct value *key, struct value *value)
{
    if (it->left-- <= 0)
        return 0;
    *key = it->next;
    *value = (struct value){skip_value(key->data, key->end), key->end};
    it->next.data = skip_value(value->data, value->end);
    return it->next.data != NULL;
}

static inline struct value find(struct value map, const char *name)
{
    struct value key, value;
    struct entries it = entries(map);
    while (next_entry(&it, &key, &value))
        if (is_string(key, name))
            return value;
    return (struct value){NULL, NULL};
}

#endif
