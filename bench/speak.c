/* What a client says and what it makes of the answers: docs/protocol.md over MessagePack, or bare messages. */
#define _GNU_SOURCE
#include "speak.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "msgpack.h"
#include "websocket.h"

enum { COMMAND_BYTES = 1 << 16 };

/* Saying */

/* A command with `more_entries` keys besides `op` and `ref`; the caller packs those. */
static struct packer command(struct client *client, const char *op, int more_entries)
{
    static uint8_t buffer[COMMAND_BYTES];
    struct packer out = {buffer, 0};
    pack_map(&out, 2 + more_entries);
    pack_str(&out, "op");
    pack_str(&out, op);
    pack_str(&out, "ref");
    pack_uint(&out, ++client->ref);
    return out;
}

static void say(struct client *client, struct packer *out) { client_write(client, WS_BINARY, out->data, out->length); }

void say_handshake(struct client *client)
{
    char request[512];
    const char *path = load.speaks == RENRAKU ? "ws" : client->room;
    const char *subprotocol = load.speaks == RENRAKU ? "Sec-WebSocket-Protocol: renraku.v1.msgpack\r\n" : "";
    int length = snprintf(request, sizeof request,
                          "GET /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: " WS_SAMPLE_KEY "\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                          path, client->port, subprotocol);
    client_write_raw(client, request, length);
}

static void say_auth(struct client *client)
{
    struct packer out = command(client, "auth", 1);
    pack_str(&out, "token");
    pack_str(&out, client->token);
    say(client, &out);
}

static void say_resume(struct client *client)
{
    struct packer out = command(client, "resume", 3);
    pack_str(&out, "epoch");
    pack_str(&out, client->epoch);
    pack_str(&out, "me");
    pack_uint(&out, client->own_seq);
    pack_str(&out, "rooms");
    pack_map(&out, client->position_count);
    for (int i = 0; i < client->position_count; i++) {
        pack_str(&out, client->positions[i].room);
        pack_uint(&out, client->positions[i].seq);
    }
    say(client, &out);
}

/* `room` NULL: the client's own stream. */
static void say_pull(struct client *client, const char *room, uint64_t after)
{
    struct packer out = command(client, "pull", room ? 2 : 1);
    if (room) {
        pack_str(&out, "room");
        pack_str(&out, room);
    }
    pack_str(&out, "after");
    pack_uint(&out, after);
    client->pulls++;
    say(client, &out);
}

static void say_text(struct client *client, const char *text, size_t length)
{
    static unsigned run, count;
    char id[32];
    if (!run)
        run = now_ns() ^ getpid();
    snprintf(id, sizeof id, "bench-%08x-%08x", run, ++count);
    struct packer out = command(client, "send", 3);
    pack_str(&out, "room");
    pack_str(&out, client->room);
    pack_str(&out, "client_msg_id");
    pack_str(&out, id);
    pack_str(&out, "blocks");
    pack_array(&out, 1);
    pack_map(&out, 2);
    pack_str(&out, "type");
    pack_str(&out, "text");
    pack_str(&out, "text");
    pack_bytes(&out, text, length);
    say(client, &out);
}

void client_send_text(struct client *client, const char *text, size_t length)
{
    if (load.speaks == RENRAKU) {
        say_text(client, text, length);
        client->waiting_ref = client->ref;
        client->sent_at = now_ns();
    } else {
        client_write(client, WS_BINARY, text, length);
    }
}

/* Getting ready */

static void become_ready(struct client *client)
{
    client->state = READY;
    load.ready++;
}

static void remember_position(struct client *client, struct value room, uint64_t seq)
{
    size_t length;
    const char *name = as_string(room, &length);
    if (!load.remember || !name || length >= sizeof client->positions->room)
        return;
    client->positions = realloc(client->positions, (client->position_count + 1) * sizeof *client->positions);
    struct position *position = &client->positions[client->position_count++];
    memcpy(position->room, name, length);
    position->room[length] = 0;
    position->seq = seq;
}

static void take_resumed(struct client *client, struct value answer)
{
    struct value me = find(answer, "me"), room, place;
    uint64_t own_before = client->own_seq;
    client->own_seq = as_uint(find(me, "head"));
    client->pulls = 0;
    if (is_string(find(me, "state"), "replay"))
        say_pull(client, NULL, own_before);
    if (client->position_count) {
        for (int i = 0; i < client->position_count; i++) {
            struct value entry = find(find(answer, "rooms"), client->positions[i].room);
            if (is_string(find(entry, "state"), "replay"))
                say_pull(client, client->positions[i].room, client->positions[i].seq);
        }
    } else {
        struct entries rooms = entries(find(answer, "rooms"));
        while (next_entry(&rooms, &room, &place))
            remember_position(client, room, as_uint(find(place, "head")));
    }
    if (!client->pulls)
        become_ready(client);
}

static void take_hello(struct client *client, struct value answer)
{
    size_t length = 0;
    const char *epoch = as_string(find(answer, "epoch"), &length);
    if (!epoch || length >= sizeof client->epoch)
        fail("hello has no epoch");
    memcpy(client->epoch, epoch, length);
    client->epoch[length] = 0;
    client->state = RESUMING;
    say_resume(client);
}

static void take_page(struct client *client, struct value page)
{
    if (!is_true(find(page, "live")))
        fail("one page was not enough: the room moved while it was resumed");
    if (--client->pulls == 0 && client->state == RESUMING)
        become_ready(client);
}

/* What arrives */

/* The time stamp inside a message's text: "~" and twelve hexadecimal digits, microseconds. 0 if there is none. */
static int64_t stamp_in(const uint8_t *payload, size_t length)
{
    const uint8_t *mark = memchr(payload, '~', length);
    if (!mark || payload + length - mark < 13)
        return 0;
    int64_t stamp = 0;
    for (int i = 1; i <= 12; i++) {
        int digit = mark[i] <= '9' ? mark[i] - '0' : mark[i] - 'a' + 10;
        if (digit < 0 || digit > 15)
            return 0;
        stamp = stamp << 4 | digit;
    }
    return stamp;
}

static void take_delivery(struct client *client, const struct ws_frame *frame)
{
    if (client->state != READY)
        return;
    client->delivered++;
    load.frame_bytes = frame->length;
    if (load.on_delivery)
        load.on_delivery(client, stamp_in(frame->payload, frame->length));
}

static void take_ack(struct client *client, struct value ack)
{
    if (client->waiting_ref && as_uint(find(ack, "ref")) == client->waiting_ref) {
        client->waiting_ref = 0;
        if (load.on_ack)
            load.on_ack(client);
    }
}

static void take_message(struct client *client, const struct ws_frame *frame)
{
    struct value message = {frame->payload, frame->payload + frame->length}, op;
    if (load.speaks == PLAIN) {
        take_delivery(client, frame);
        return;
    }
    op = find(message, "op");
    if (is_string(op, "event")) {
        take_delivery(client, frame);
    } else if (is_string(op, "ack")) {
        take_ack(client, message);
    } else if (is_string(op, "hello")) {
        take_hello(client, message);
    } else if (is_string(op, "resumed")) {
        take_resumed(client, message);
    } else if (is_string(op, "page")) {
        take_page(client, message);
    } else if (is_string(op, "error")) {
        size_t length = 0;
        const char *text = as_string(find(message, "en"), &length);
        fail("the server answered error %d: %.*s", (int)as_uint(find(message, "code")), (int)length, text ? text : "");
    }
}

static void take_frame(struct client *client, const struct ws_frame *frame)
{
    if (frame->opcode == WS_BINARY)
        take_message(client, frame);
    else if (frame->opcode == WS_PING)
        client_write(client, WS_PONG, frame->payload, frame->length);
    else if (frame->opcode == WS_CLOSE)
        fail("the server closed a connection with code %d",
             frame->length >= 2 ? frame->payload[0] << 8 | frame->payload[1] : 0);
}

static size_t take_handshake(struct client *client, uint8_t *data, size_t length)
{
    uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (memcmp(data, "HTTP/1.1 101", 12) || !memmem(data, length, WS_SAMPLE_ACCEPT, strlen(WS_SAMPLE_ACCEPT)))
        fail("the handshake was refused: %.*s", (int)(end - data), data);
    if (load.speaks == RENRAKU) {
        client->state = AUTHENTICATING;
        say_auth(client);
    } else {
        become_ready(client);
    }
    return end + 4 - data;
}

size_t take_one(struct client *client, uint8_t *data, size_t length)
{
    struct ws_frame frame;
    if (client->state == HANDSHAKE)
        return take_handshake(client, data, length);
    if (!ws_parse(data, length, &frame))
        return 0;
    take_frame(client, &frame);
    return frame.size;
}
