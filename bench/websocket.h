/* WebSocket frames (RFC 6455, 5.2), as much of them as the floor and the load generator need. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdint.h>
#include <string.h>

/* The RFC's own sample key and its answer: every client sends it, so that the floor needs no SHA-1. */
#define WS_SAMPLE_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_SAMPLE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { WS_FINAL = 0x80, WS_MASKED = 0x80, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_frame {
    int opcode;
    uint8_t *payload;
    size_t length;
    const uint8_t *mask;   /* NULL if the frame is not masked */
    size_t size;           /* of the whole frame, header included */
};

/* The frame at the front of `data`; 0 if it is not all there. */
static inline int ws_parse(uint8_t *data, size_t available, struct ws_frame *frame)
{
    if (available < 2)
        return 0;
    size_t header = 2;
    frame->opcode = data[0] & 0x0f;
    frame->length = data[1] & 0x7f;
    if (frame->length == 126) {
        if (available < 4)
            return 0;
        frame->length = (size_t)data[2] << 8 | data[3];
        header = 4;
    } else if (frame->length == 127) {
        if (available < 10)
            return 0;
        frame->length = 0;
        for (int i = 2; i < 10; i++)
            frame->length = frame->length << 8 | data[i];
        header = 10;
    }
    frame->mask = NULL;
    if (data[1] & WS_MASKED) {
        frame->mask = data + header;
        header += 4;
    }
    if (available < header || available - header < frame->length)
        return 0;
    frame->payload = data + header;
    frame->size = header + frame->length;
    return 1;
}

static inline void ws_unmask(struct ws_frame *frame)
{
    if (frame->mask)
        for (size_t i = 0; i < frame->length; i++)
            frame->payload[i] ^= frame->mask[i & 3];
}

/* A client's frame; `out` has 14 bytes more than the payload. The mask is zero: this is no browser, and there is no
 * proxy between us that a mask could protect. */
static inline size_t ws_build_masked(uint8_t *out, int opcode, const void *payload, size_t length)
{
    size_t at = 0;
    out[at++] = WS_FINAL | opcode;
    if (length < 126) {
        out[at++] = WS_MASKED | length;
    } else {
        out[at++] = WS_MASKED | 126;
        out[at++] = length >> 8;
        out[at++] = length & 0xff;
    }
    memset(out + at, 0, 4);
    memcpy(out + at + 4, payload, length);
    return at + 4 + length;
}

#endif
