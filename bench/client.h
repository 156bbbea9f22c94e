/* One connection of the load generator, from connect() to "ready", and the messages that it then gets. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stddef.h>
#include <stdint.h>

enum speaks { PLAIN, RENRAKU };   /* PLAIN: bare WebSocket messages, no protocol on top (the floor, websockets) */

enum state { CLOSED, CONNECTING, HANDSHAKE, AUTHENTICATING, RESUMING, READY };

struct position {        /* where a client stands in one of its rooms */
    char room[64];
    uint64_t seq;
};

struct client {
    int fd, port;
    enum state state;
    const char *token, *room;      /* of its line in the clients file */
    int group;                     /* which of the load's rooms that is */
    uint64_t delivered;            /* messages that arrived since it was ready */
    uint64_t ref, waiting_ref;     /* the last ref given; the send that is not answered yet */
    int64_t sent_at;               /* when that was sent, ns */
    int pulls;                     /* pages still to come before it is ready */
    char epoch[65];
    uint64_t own_seq;              /* position in its own stream */
    struct position *positions;    /* kept only where `remember` is set */
    int position_count;
    size_t held;
    uint8_t *input;                /* bytes of an unfinished frame; NULL while nothing is held */
};

/* What the load does with what arrives. */
struct load {
    enum speaks speaks;
    int port;
    int remember;                  /* keep positions, so that a client can resume where it was */
    int ready;                     /* clients in state READY */
    uint64_t frame_bytes;          /* payload of the last message that was delivered */
    void (*on_delivery)(struct client *, int64_t stamped_us);
    void (*on_ack)(struct client *);
};

extern struct load load;

int64_t now_ns(void);
void clients_open_epoll(void);
void client_connect(struct client *client);
void client_drop(struct client *client);
void client_write(struct client *client, int opcode, const void *payload, size_t length);   /* one frame */
void client_write_raw(struct client *client, const void *bytes, size_t length);
void clients_poll(int timeout_ms);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
