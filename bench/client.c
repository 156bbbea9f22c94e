/* Sockets: connecting, reading, writing, waiting. What is said over them stands in speak.c. */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "speak.h"
#include "websocket.h"

enum { READ_BYTES = 1 << 20, FRAME_BYTES = 1 << 16, EVENTS = 512 };

struct load load;
static int epoll_fd;

void fail(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, values);
    fprintf(stderr, "\n");
    exit(3);
}

int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void clients_open_epoll(void) { epoll_fd = epoll_create1(0); }

/* Writing */

void client_write_raw(struct client *client, const void *bytes, size_t length)
{
    const uint8_t *data = bytes;
    while (length) {
        ssize_t sent = send(client->fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = client->fd, .events = POLLOUT};
            poll(&writable, 1, 1000);
        } else if (sent < 0) {
            fail("cannot send: %s", strerror(errno));
        } else {
            data += sent;
            length -= sent;
        }
    }
}

void client_write(struct client *client, int opcode, const void *payload, size_t length)
{
    static uint8_t frame[FRAME_BYTES + 14];
    client_write_raw(client, frame, ws_build_masked(frame, opcode, payload, length));
}

/* Reading */

static void receive(struct client *client)
{
    static uint8_t buffer[2 * READ_BYTES];
    memcpy(buffer, client->input, client->held);
    ssize_t got = recv(client->fd, buffer + client->held, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("the server cut a connection (state %d): %s", client->state, got ? strerror(errno) : "end of file");
    uint8_t *at = buffer;
    size_t left = client->held + got, used;
    while (left && (used = take_one(client, at, left))) {
        at += used;
        left -= used;
    }
    client->held = left;
    if (left) {
        client->input = realloc(client->input, left);
        memcpy(client->input, at, left);
    }
}

/* Connecting */

static void watch(struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(epoll_fd, operation, client->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

void client_connect(struct client *client)
{
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(client->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    client->state = CONNECTING;
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static void connected(struct client *client)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connect: %s", strerror(error));
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
    client->state = HANDSHAKE;
    say_handshake(client);
}

/* Without a close frame, as a cut line does it. */
void client_drop(struct client *client)
{
    if (client->state == READY)
        load.ready--;
    close(client->fd);
    client->state = CLOSED;
    client->held = 0;
    client->ref = client->waiting_ref = 0;
}

void clients_poll(int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (client->state == CONNECTING)
            connected(client);
        else if (client->state != CLOSED)
            receive(client);
    }
}
